#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <nlohmann/json.hpp>

#include "tessera/plan/testing/sample_plan.h"

namespace tessera::plan {
namespace {

using nlohmann::json;

// The sample as JSON, changed by RFC 6902 `patch`, read again: the error's line.
std::string LineAfter(const char* patch) {
  const json document = json::parse(ToJson(SamplePlan())).patch(json::parse(patch));
  Result<Plan> plan = FromJson(document.dump());
  return plan ? "valid" : plan.error().message;
}

TEST(PlanJson, ReadsWhatItWrote) {
  Result<Plan> again = FromJson(ToJson(SamplePlan()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, SamplePlan());
}

TEST(PlanJson, ReadsABuiltPlanThatItWrote) {
  Result<Plan> again = FromJson(ToJson(SampleBuiltPlan()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, SampleBuiltPlan());
}

TEST(PlanJson, ABuildHasNoUnknownField) {
  json document = json::parse(ToJson(SampleBuiltPlan()));
  document["build"]["tf32"] = 1;
  EXPECT_EQ(FromJson(document.dump()).error().message, "'build.tf32' is 1, wanted true or false");
  document["build"]["fast"] = true;
  EXPECT_EQ(FromJson(document.dump()).error().message, "'build' has the unknown field 'fast'");
}

TEST(PlanJson, ABuildThatDoesNotSayKeepsItsTypes) {
  json document = json::parse(ToJson(SampleBuiltPlan()));
  document["build"].erase("fp16");
  EXPECT_EQ(FromJson(document.dump())->build->half, DType::kUndefined);
}

TEST(PlanJson, ABuildIsInFp16OrInBf16) {
  json document = json::parse(ToJson(SampleBuiltPlan()));
  document["build"]["bf16"] = true;
  EXPECT_THAT(FromJson(document.dump()).error().message, ::testing::HasSubstr("both fp16 and bf16"));
  document["build"]["fp16"] = false;
  const auto plan = FromJson(document.dump());
  EXPECT_EQ(plan->build->half, DType::kBFloat16);
  EXPECT_EQ(FromJson(ToJson(*plan)), *plan);
}

TEST(PlanJson, ReadsAProbedPlanThatItWrote) {
  Result<Plan> again = FromJson(ToJson(SampleProbedPlan()));
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(*again, SampleProbedPlan());
}

TEST(PlanJson, ReadsAPlanOfTheFirstVersion) {
  json document = json::parse(ToJson(SampleBuiltPlan()));
  document["version"] = 1;
  Result<Plan> plan = FromJson(document.dump());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(*plan, SampleBuiltPlan());
}

TEST(PlanJson, SaysItsFormatAndVersion) {
  const json document = json::parse(ToJson(SamplePlan()));
  EXPECT_EQ(document.at("format"), "tessera-plan");
  EXPECT_EQ(document.at("version"), kPlanVersion);
}

TEST(PlanJson, NewerVersionIsUnsupportedAndBothVersionsAreNamed) {
  Result<Plan> plan = FromJson(R"({"format":"tessera-plan","version":3,"surprise":[]})");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kUnsupported);
  EXPECT_EQ(plan.error().message, "the plan has version 3, this program reads up to version 2");
}

TEST(PlanJson, TextThatIsNotJsonIsRefusedWithThePlace) {
  Result<Plan> plan = FromJson("{\"format\": ");
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kInvalidArgument);
  EXPECT_EQ(plan.error().message, "not JSON: byte 12 of 11 is unexpected");
}

struct BadField {
  const char* patch;
  const char* line;
};

class PlanJsonBadField : public ::testing::TestWithParam<BadField> {};

TEST_P(PlanJsonBadField, IsNamedWithTheGotAndTheWanted) {
  EXPECT_EQ(LineAfter(GetParam().patch), GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, PlanJsonBadField,
    ::testing::Values(
        BadField{R"([{"op":"replace","path":"","value":7}])", "the document is 7, wanted an object"},
        BadField{R"([{"op":"replace","path":"/format","value":"onnx"}])",
                 "'format' is \"onnx\", wanted \"tessera-plan\""},
        BadField{R"([{"op":"remove","path":"/version"}])", "the document has no field 'version'"},
        BadField{R"([{"op":"replace","path":"/version","value":0}])",
                 "'version' is 0, wanted an integer from 1"},
        BadField{R"([{"op":"remove","path":"/engine"}])", "the document has no field 'engine'"},
        BadField{R"([{"op":"add","path":"/colour","value":1}])",
                 "the document has the unknown field 'colour'"},
        BadField{R"([{"op":"replace","path":"/ranks","value":{}}])", "'ranks' is an object, wanted a list"},
        BadField{R"([{"op":"replace","path":"/ranks/1/model/bytes","value":-3}])",
                 "'ranks[1].model.bytes' is -3, wanted an integer from 0"},
        BadField{R"([{"op":"replace","path":"/ranks/1/model/bytes","value":18446744073709551615}])",
                 "'ranks[1].model.bytes' is 18446744073709551615, wanted an integer from 0"},
        BadField{R"([{"op":"replace","path":"/ranks/0/weights/1/sha256","value":null}])",
                 "'ranks[0].weights[1].sha256' is null, wanted a string"},
        BadField{R"([{"op":"replace","path":"/mesh/0/size","value":2.5}])",
                 "'mesh[0].size' is 2.5, wanted an integer from 1 to 2147483647"},
        BadField{R"([{"op":"replace","path":"/inputs/0/type","value":"FP33"}])",
                 "'inputs[0].type' is \"FP33\", wanted a type such as FP32 or INT64"},
        BadField{R"([{"op":"replace","path":"/inputs/1/layout/kind","value":"cut"}])",
                 "'inputs[1].layout.kind' is \"cut\", wanted replicated, split or rank"},
        BadField{R"([{"op":"add","path":"/inputs/0/layout/axis","value":0}])",
                 "'inputs[0].layout' has the unknown field 'axis'"},
        BadField{R"([{"op":"replace","path":"/collectives/0/op","value":"sum"}])",
                 "'collectives[0].op' is \"sum\", wanted a collective such as all_reduce"},
        BadField{R"([{"op":"replace","path":"/collectives/1/reduce","value":"mean"}])",
                 "'collectives[1].reduce' is \"mean\", wanted none, sum, prod, max, min or avg"},
        BadField{R"([{"op":"replace","path":"/predicted_us","value":"fast"}])",
                 "'predicted_us' is \"fast\", wanted a number"},
        BadField{R"([{"op":"replace","path":"/ranks/0/model/file","value":"../model.onnx"}])",
                 "rank 0: file '../model.onnx' is not a path inside the plan's directory"}));

// Names as users have them, some not ASCII.
rc::Gen<std::string> Names() {
  return rc::gen::element<std::string>("x", "encoder/layer.0/out", "größe", "入力", "a b", "\"quoted\"\n");
}

Shape AnyShape() {
  return *rc::gen::container<Shape>(rc::gen::inRange<int64_t>(kDynamic, 1 << 20));
}

TensorPlan AnyTensor(const std::string& name) {
  TensorPlan tensor;
  tensor.spec = {name, static_cast<DType>(*rc::gen::inRange(1, static_cast<int>(DType::kComplex128) + 1)),
                 AnyShape()};
  for (size_t i = 0; i < tensor.spec.shape.size(); ++i) tensor.dim_names.push_back(*Names());
  if (*rc::gen::arbitrary<bool>()) tensor.multiples.assign(tensor.spec.shape.size(), *rc::gen::inRange(1, 9));
  if (*rc::gen::arbitrary<bool>()) tensor.layout = {Layout::Kind::kRank, 0, Rank{0}};
  if (!tensor.spec.shape.empty() && *rc::gen::arbitrary<bool>())
    tensor.layout = {Layout::Kind::kSplit, 0, Rank{0}};
  return tensor;
}

RC_GTEST_PROP(PlanJson, ReadsBackEveryValidPlan, ()) {
  Plan plan = SamplePlan();
  plan.model_name = *Names();
  plan.predicted_us = std::abs(*rc::gen::arbitrary<double>());
  plan.inputs.clear();
  for (int i = *rc::gen::inRange(0, 5); i > 0; --i)
    plan.inputs.push_back(AnyTensor(*Names() + std::to_string(i)));
  plan.ranks[0].weight_bytes = ByteCount{*rc::gen::inRange<uint64_t>(0, uint64_t{1} << 62)};
  plan.collectives[1].shape = AnyShape();
  RC_PRE(Validate(plan).has_value());
  Result<Plan> again = FromJson(ToJson(plan));
  RC_ASSERT(again.has_value());
  RC_ASSERT(*again == plan);
}

}  // namespace
}  // namespace tessera::plan
