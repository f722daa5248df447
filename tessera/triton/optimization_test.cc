#include "tessera/triton/optimization.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::triton {
namespace {

using nlohmann::json;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// What the server fills in where config.pbtxt says nothing.
json AsTheServerFillsIn() {
  return {{"optimization",
           {{"priority", "PRIORITY_DEFAULT"},
            {"input_pinned_memory", {{"enable", true}}},
            {"output_pinned_memory", {{"enable", true}}},
            {"gather_kernel_buffer_threshold", "0"},
            {"eager_batching", false}}}};
}

json WithCuda(json cuda) {
  json config = AsTheServerFillsIn();
  config["optimization"]["cuda"] = std::move(cuda);
  return config;
}

TEST(ReadOptimization, HasDefaultsWhereNothingIsSaid) {
  for (const json& config : {json::object(), AsTheServerFillsIn()}) {
    const Optimization read = ReadOptimization(config);
    EXPECT_FALSE(read.cuda_graphs);
    EXPECT_FALSE(read.least_priority);
    EXPECT_THAT(read.graph_specs, IsEmpty());
    EXPECT_THAT(OptimizationWithoutEffect(config), IsEmpty());
  }
}

TEST(ReadOptimization, TakesAWordOnGraphsAndPriority) {
  EXPECT_EQ(ReadOptimization(WithCuda({{"graphs", false}})).cuda_graphs, false);
  EXPECT_EQ(ReadOptimization(WithCuda({{"graphs", true}})).cuda_graphs, true);
  json config = AsTheServerFillsIn();
  config["optimization"]["priority"] = "PRIORITY_MIN";
  EXPECT_TRUE(ReadOptimization(config).least_priority);
}

TEST(ReadOptimization, ReadsTheShapesToCapture) {
  const Optimization read = ReadOptimization(
      WithCuda({{"graphs", true},
                {"graph_spec",
                 {{{"batch_size", 4}, {"input", {{"ids", {{"dim", {"16", "3"}}}}}}}, {{"batch_size", 1}}}}}));
  ASSERT_EQ(read.graph_specs.size(), 2U);
  EXPECT_EQ(read.graph_specs[0].batch_size, 4);
  EXPECT_EQ(read.graph_specs[0].inputs.at("ids"), (Shape{16, 3}));
  EXPECT_EQ(ShapeInGraph(read.graph_specs[0], "ids", {-1, -1, 3}).value(), (Shape{4, 16, 3}));
  EXPECT_EQ(ShapeInGraph(read.graph_specs[1], "mask", {-1, 7}).value(), (Shape{1, 7}));
  EXPECT_EQ(ShapeInGraph(read.graph_specs[1], "ids", {-1, -1, 3}).error().message,
            "optimization.cuda.graph_spec gives no sizes for input 'ids', which is [-1,-1,3]");
}

TEST(ReadOptimization, ChecksTheShapesToCaptureAgainstTheBatch) {
  Optimization read;
  read.graph_specs = {{4, {}}};
  EXPECT_TRUE(CheckGraphSpecs(read, 4));
  EXPECT_EQ(CheckGraphSpecs(read, 2).error().message,
            "optimization.cuda.graph_spec has batch_size 4, max_batch_size is 2");
  EXPECT_FALSE(CheckGraphSpecs(read, 0));
  read.graph_specs = {{0, {{"x", {2, 3}}}}};
  EXPECT_TRUE(CheckGraphSpecs(read, 0));
  EXPECT_FALSE(CheckGraphSpecs(read, 2));
  EXPECT_EQ(ShapeInGraph(read.graph_specs[0], "x", {-1, 3}).value(), (Shape{2, 3}));
}

TEST(OptimizationWithoutEffect, NamesEachKeyThatIsSet) {
  json config = WithCuda({{"graphs", true},
                          {"busy_wait_events", true},
                          {"output_copy_stream", true},
                          {"graph_spec", {{{"batch_size", 1}, {"graph_lower_bound", {{"batch_size", 1}}}}}}});
  json& optimization = config["optimization"];
  optimization["eager_batching"] = true;
  optimization["gather_kernel_buffer_threshold"] = "64";
  optimization["input_pinned_memory"]["enable"] = false;
  optimization["output_pinned_memory"]["enable"] = false;
  optimization["execution_accelerators"] = {{"gpu_execution_accelerator", {{{"name", "tensorrt"}}}}};
  optimization["graph"] = {{"level", 1}};
  EXPECT_THAT(OptimizationWithoutEffect(config),
              ElementsAre(HasSubstr("optimization.cuda.busy_wait_events has no effect: "),
                          HasSubstr("optimization.cuda.output_copy_stream has no effect: "),
                          HasSubstr("optimization.eager_batching has no effect: "),
                          HasSubstr("optimization.gather_kernel_buffer_threshold has no effect: "),
                          HasSubstr("optimization.input_pinned_memory.enable has no effect: "),
                          HasSubstr("optimization.output_pinned_memory.enable has no effect: "),
                          HasSubstr("optimization.execution_accelerators has no effect: "),
                          HasSubstr("optimization.graph has no effect: "),
                          HasSubstr("graph_lower_bound has no effect: ")));
}

TEST(OptimizationWithoutEffect, SaysThatShapesAreNotCapturedWithoutGraphs) {
  const json config = WithCuda({{"graphs", false}, {"graph_spec", {{{"batch_size", 1}}}}});
  EXPECT_THAT(ReadOptimization(config).graph_specs, IsEmpty());
  EXPECT_THAT(OptimizationWithoutEffect(config),
              ElementsAre("optimization.cuda.graph_spec has no effect: optimization.cuda.graphs is false"));
}

}  // namespace
}  // namespace tessera::triton
