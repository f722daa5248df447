#include "tessera/triton/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::triton {
namespace {

using nlohmann::json;
using plan::TensorPlan;
using ::testing::HasSubstr;

TensorPlan Tensor(const char* name, DType type, Shape shape, std::vector<std::string> dims) {
  return {{name, type, std::move(shape)}, std::move(dims), {}};
}

plan::Plan Transformer() {
  plan::Plan plan;
  plan.inputs = {Tensor("ids", DType::kInt64, {-1, -1}, {"batch", "seq"}),
                 Tensor("mask", DType::kInt64, {-1, -1}, {"batch", "seq"})};
  plan.outputs = {Tensor("hidden", DType::kFloat32, {-1, -1, 384}, {"batch", "seq", ""})};
  return plan;
}

json Completed(const plan::Plan& plan, json config = json::object()) {
  return CompleteConfig(std::move(config), plan, 16);
}

std::string Refusal(const json& config, const plan::Plan& plan) {
  auto checked = ValidateConfig(config, plan);
  return checked ? "" : checked.error().message;
}

TEST(CompleteConfig, BatchesAModelWhoseFirstDimensionsShareAName) {
  json config = Completed(Transformer());
  EXPECT_EQ(config["max_batch_size"], 16);
  EXPECT_EQ(config["dynamic_batching"], json::object());
  EXPECT_EQ(config["input"][0], json({{"name", "ids"}, {"data_type", "TYPE_INT64"}, {"dims", {-1}}}));
  EXPECT_EQ(config["output"][0], json({{"name", "hidden"}, {"data_type", "TYPE_FP32"}, {"dims", {-1, 384}}}));
  EXPECT_EQ(Refusal(config, Transformer()), "");
}

TEST(CompleteConfig, DoesNotBatchWhenFirstDimensionsDifferInName) {
  plan::Plan plan = Transformer();
  plan.inputs[1].dim_names[0] = "s43";
  json config = Completed(plan);
  EXPECT_EQ(config["max_batch_size"], 0);
  EXPECT_FALSE(config.contains("dynamic_batching"));
  EXPECT_EQ(config["input"][1]["dims"], json({-1, -1}));
  EXPECT_EQ(WhyNotBatched(plan), "the first dimension of 'ids' is 'batch', that of 'mask' is 's43'");
}

TEST(CompleteConfig, BatchesAModelWhoseDimensionsHaveNoNames) {
  plan::Plan plan = Transformer();
  for (auto* tensors : {&plan.inputs, &plan.outputs}) {
    for (TensorPlan& t : *tensors) t.dim_names.assign(t.dim_names.size(), "");
  }
  EXPECT_EQ(WhyNotBatched(plan), "");
  EXPECT_EQ(Completed(plan)["max_batch_size"], 16);
}

TEST(CompleteConfig, BatchesNoMoreThanTheEnginesTake) {
  EXPECT_EQ(CompleteConfig(json::object(), Transformer(), 16, 8)["max_batch_size"], 8);
  EXPECT_EQ(CompleteConfig(json::object(), Transformer(), 16, 32)["max_batch_size"], 16);
}

TEST(ValidateConfig, RefusesALargerBatchThanTheEnginesTake) {
  const json config = Completed(Transformer());
  EXPECT_TRUE(ValidateConfig(config, Transformer(), 16));
  EXPECT_EQ(ValidateConfig(config, Transformer(), 15).error().message,
            "configuration specified max-batch 16 but TensorRT engine only supports max-batch 15");
}

TEST(CompleteConfig, DoesNotBatchWhenAFirstDimensionIsFixed) {
  plan::Plan plan = Transformer();
  plan.outputs[0].spec.shape[0] = 4;
  EXPECT_EQ(WhyNotBatched(plan), "'hidden' is [4,-1,384]");
  EXPECT_EQ(Completed(plan)["max_batch_size"], 0);
}

TEST(CompleteConfig, KeepsWhatIsGiven) {
  json given = {
      {"max_batch_size", 4},
      {"input", {{{"name", "ids"}, {"data_type", "TYPE_INVALID"}, {"dims", {128}}}, {{"name", "mask"}}}},
      {"dynamic_batching", {{"max_queue_delay_microseconds", 100}}}};
  json config = Completed(Transformer(), given);
  EXPECT_EQ(config["max_batch_size"], 4);
  EXPECT_EQ(config["dynamic_batching"], given["dynamic_batching"]);
  EXPECT_EQ(config["input"][0]["dims"], json({128}));
  EXPECT_EQ(config["input"][0]["data_type"], "TYPE_INT64");
  EXPECT_EQ(config["input"][1]["dims"], json({-1}));
}

TEST(CompleteConfig, TakesGivenDimensionsForAModelWithoutBatch) {
  json given = {{"input", {{{"name", "ids"}, {"dims", {-1, -1}}}, {{"name", "mask"}}}}};
  json config = Completed(Transformer(), given);
  EXPECT_EQ(config["max_batch_size"], 0);
  EXPECT_EQ(Refusal(config, Transformer()), "");
}

TEST(CompleteConfig, ReshapesWhatWouldHaveNoDimension) {
  plan::Plan plan = Transformer();
  plan.outputs[0] = Tensor("score", DType::kFloat32, {-1}, {"batch"});
  json config = Completed(plan);
  EXPECT_EQ(config["output"][0]["dims"], json({1}));
  EXPECT_EQ(config["output"][0]["reshape"]["shape"], json::array());
  EXPECT_EQ(Refusal(config, plan), "");
}

// y[batch, s..] of x[batch, 4]: s are three values that the engine reads on the host.
plan::Plan WithShapeTensor() {
  plan::Plan plan;
  plan.inputs = {Tensor("x", DType::kFloat32, {-1, 4}, {}), Tensor("s", DType::kInt64, {3}, {})};
  plan.inputs[1].spec.on_host = true;
  plan.outputs = {Tensor("y", DType::kFloat32, {-1, -1, -1}, {})};
  return plan;
}

TEST(CompleteConfig, DoesNotBatchAModelWithAShapeTensorUnasked) {
  json config = Completed(WithShapeTensor());
  EXPECT_EQ(config["max_batch_size"], 0);
  EXPECT_EQ(config["input"][1],
            json({{"name", "s"}, {"data_type", "TYPE_INT64"}, {"is_shape_tensor", true}, {"dims", {3}}}));
  EXPECT_EQ(Refusal(config, WithShapeTensor()), "");
}

TEST(CompleteConfig, TakesTheFirstValueOfAShapeTensorForTheBatchOfABatchedModel) {
  json config = Completed(WithShapeTensor(), {{"max_batch_size", 8}});
  EXPECT_EQ(config["input"][1]["dims"], json({2}));
  EXPECT_EQ(config["input"][1]["is_shape_tensor"], true);
  EXPECT_EQ(config["output"][0]["dims"], json({-1, -1}));
  EXPECT_EQ(Refusal(config, WithShapeTensor()), "");
  config["input"][1]["dims"] = {3};
  EXPECT_EQ(Refusal(config, WithShapeTensor()),
            "input 's' is configured as [3], the model has [2] after the batch dimension");
}

TEST(ValidateConfig, RefusesABatchWhereAShapeTensorHasNoValueBesideIt) {
  for (const Shape& shape : {Shape{1}, Shape{}}) {
    plan::Plan plan = WithShapeTensor();
    plan.inputs[1].spec.shape = shape;
    const json config = Completed(plan, {{"max_batch_size", 8}});
    EXPECT_EQ(config["input"][1]["dims"], json({1})) << "Triton refuses a dimension of 0 without a reason";
    EXPECT_EQ(Refusal(config, plan), fmt::format("max_batch_size is 8, but input 's' is {}: a shape tensor "
                                                 "with no value beside the batch",
                                                 ToString(shape)));
    EXPECT_EQ(Refusal(Completed(plan), plan), "");
  }
}

TEST(ValidateConfig, RefusesAWrongWordOnShapeTensors) {
  json config = Completed(WithShapeTensor(), {{"max_batch_size", 8}});
  config["input"][0]["is_shape_tensor"] = true;
  EXPECT_EQ(Refusal(config, WithShapeTensor()), "'x' is incorrectly specified as a shape tensor.");
  config = Completed(WithShapeTensor(), {{"max_batch_size", 8}});
  config["input"][1]["is_shape_tensor"] = false;
  EXPECT_EQ(Refusal(config, WithShapeTensor()),
            "input 's' is a shape tensor: wanted is_shape_tensor to be true");
}

TEST(ValidateConfig, RefusesMemoryFormatsThatAreNotLinear) {
  json config = Completed(Transformer());
  config["output"][0]["is_non_linear_format_io"] = true;
  EXPECT_THAT(Refusal(config, Transformer()),
              HasSubstr("output 'hidden' is configured with is_non_linear_format_io, which is not served"));
}

TEST(ValidateConfig, NamesTensorGotAndWantedShape) {
  json config = Completed(Transformer());
  config["output"][0]["dims"] = {-1, 385};
  EXPECT_EQ(Refusal(config, Transformer()),
            "output 'hidden' is configured as [-1,385], the model has [-1,384] after the batch dimension");
}

TEST(ValidateConfig, RefusesFreeSizeWhereTheModelIsFixed) {
  json config = Completed(Transformer());
  config["output"][0]["dims"] = {-1, -1};
  EXPECT_THAT(Refusal(config, Transformer()), HasSubstr("configured as [-1,-1], the model has [-1,384]"));
}

TEST(ValidateConfig, AcceptsFixedSizeWhereTheModelIsFree) {
  json config = Completed(Transformer());
  config["input"][0]["dims"] = {"128"};  // protobuf writes 64-bit numbers as strings
  EXPECT_EQ(Refusal(config, Transformer()), "");
}

TEST(ValidateConfig, NamesTensorGotAndWantedType) {
  json config = Completed(Transformer());
  config["input"][0]["data_type"] = "TYPE_INT32";
  EXPECT_EQ(Refusal(config, Transformer()),
            "input 'ids' is configured as TYPE_INT32, the model has TYPE_INT64");
}

TEST(ValidateConfig, NamesStrangerAndMissingInput) {
  json config = Completed(Transformer());
  config["input"][0]["name"] = "id";
  EXPECT_EQ(Refusal(config, Transformer()), "input 'id' is configured, the model has 'ids', 'mask'");
  config["input"].erase(0);
  EXPECT_EQ(Refusal(config, Transformer()), "input 'ids' of the model is missing in the configuration");
}

TEST(ValidateConfig, RefusesBatchOfAModelWithFixedFirstDimension) {
  plan::Plan plan = Transformer();
  plan.inputs[1].spec.shape = {4, -1};
  EXPECT_EQ(
      Refusal(Completed(plan, {{"max_batch_size", 8}}), plan),
      "max_batch_size is 8, but input 'mask' is [4,-1]: its first dimension is not a free batch dimension");
}

TEST(ValidateConfig, AcceptsBatchThatTheUserVouchesFor) {
  plan::Plan plan = Transformer();
  plan.inputs[1].dim_names[0] = "s43";
  EXPECT_EQ(Refusal(Completed(plan, {{"max_batch_size", 8}}), plan), "");
}

TEST(ValidateConfig, RefusesStringsAndUnservedFeatures) {
  plan::Plan plan = Transformer();
  plan.inputs[0].spec.type = DType::kString;
  EXPECT_THAT(Refusal(Completed(plan), plan), HasSubstr("input 'ids' is BYTES"));
  json config = Completed(Transformer());
  config["input"][0]["allow_ragged_batch"] = true;
  EXPECT_THAT(Refusal(config, Transformer()), HasSubstr("input 'ids' is configured with allow_ragged_batch"));
  json sequences = Completed(Transformer(), {{"sequence_batching", json::object()}});
  EXPECT_THAT(Refusal(sequences, Transformer()), HasSubstr("sequence_batching"));
}

}  // namespace
}  // namespace tessera::triton
