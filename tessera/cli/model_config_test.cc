#include "tessera/cli/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(ModelConfig, OfABatchableModelLeavesTheBatchOutOfTheDims) {
  auto text = ModelConfig(TestPlan(), "toy", 64);
  ASSERT_TRUE(text);
  EXPECT_EQ(*text,
            R"(# Written by `tessera shard`: tensor over 2 ranks. Yours to edit; the ranks are in 1/plan.json.
name: "toy"
backend: "tensorrt"

# A request has up to 64 rows (its first dimension, left out below); waiting requests of equal shape run as
# one step. Remove dynamic_batching if the rows of a batch may influence each other.
max_batch_size: 64
dynamic_batching { }

input [
  {
    name: "ids"
    data_type: TYPE_INT64
    dims: [ -1 ]  # sequence
  }
]

output [
  {
    name: "hidden"
    data_type: TYPE_FP32
    dims: [ -1, 8 ]  # sequence, 8
  }
]

# One instance holds all the ranks of the model.
instance_group [ { kind: KIND_MODEL count: 1 } ]
)");
}

TEST(ModelConfig, WithoutBatchingGivesWholeShapes) {
  auto text = ModelConfig(TestPlan(), "toy", 0);
  ASSERT_TRUE(text);
  EXPECT_THAT(*text, HasSubstr("max_batch_size: 0\n"));
  EXPECT_THAT(*text, HasSubstr("dims: [ -1, -1, 8 ]  # batch, sequence, 8"));
  EXPECT_THAT(*text, Not(HasSubstr("dynamic_batching")));
}

TEST(ModelConfig, ReshapesScalarsAndEscapesNames) {
  plan::Plan plan = TestPlan();
  plan.inputs[0].spec = {"a\"b", DType::kBool, {}};
  plan.inputs[0].dim_names.clear();
  auto text = ModelConfig(plan, "toy", 64);
  ASSERT_TRUE(text);
  EXPECT_THAT(
      *text,
      HasSubstr("name: \"a\\\"b\"\n    data_type: TYPE_BOOL\n    dims: [ 1 ]\n    reshape: { shape: [ ] }"));
}

TEST(ModelConfig, RefusesTypesThatTritonLacks) {
  plan::Plan plan = TestPlan();
  plan.outputs[0].spec.type = DType::kComplex64;
  auto text = ModelConfig(plan, "toy", 64);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message, HasSubstr("'hidden' has element type"));
}

TEST(CanBatch, WantsAFreeUncutFirstDimensionBeforeAnotherOneEverywhere) {
  EXPECT_TRUE(CanBatch(TestPlan()));
  plan::Plan fixed = TestPlan();
  fixed.outputs[0].spec.shape[0] = 2;
  EXPECT_FALSE(CanBatch(fixed));
  plan::Plan vector = TestPlan();
  vector.inputs[0].spec.shape = {kDynamic};
  EXPECT_FALSE(CanBatch(vector));
  plan::Plan cut = TestPlan();
  cut.inputs[0].layout = {plan::Layout::Kind::kSplit, 0, Rank{0}};
  EXPECT_FALSE(CanBatch(cut));
}

TEST(CanBatch, DoesNotTakeASequenceForABatch) {
  plan::Plan plan = TestPlan();
  for (const char* name : {"sequence", "max_len", "time", "num_tokens"}) {
    plan.inputs[0].dim_names[0] = name;
    EXPECT_FALSE(CanBatch(plan)) << name;
  }
  plan.inputs[0].dim_names[0] = "sequence_batch";
  EXPECT_TRUE(CanBatch(plan));
}

}  // namespace
}  // namespace tessera::cli
