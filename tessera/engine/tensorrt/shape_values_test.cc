#include "tessera/engine/tensorrt/shape_values.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <span>

#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {
namespace {

using ::testing::HasSubstr;

// A step of x and of the shape tensor s, for two ranks.
struct TwoRanks {
  std::vector<float> x{1, 2};
  std::vector<int32_t> first{3, 4};
  std::vector<int32_t> second{3, 4};

  Step MakeStep() const {
    Step step;
    for (const auto* sizes : {&first, &second}) {
      step.ranks.push_back({{{DType::kFloat32, {2}, HostRegion(std::as_bytes(std::span(x)))},
                             {DType::kInt32, {2}, HostRegion(std::as_bytes(std::span(*sizes)))}}});
    }
    return step;
  }
};

InputRules Rules() {
  return {{},
          {DeviceId(0), DeviceId(1)},
          {{"x", DType::kFloat32, {kDynamic}}, {"s", DType::kInt32, {2}, /*on_host=*/true}}};
}

TEST(ShapeValues, ArePartOfAStepsShape) {
  TwoRanks data;
  const StepShape shape = ShapeOf(data.MakeStep(), Rules());
  EXPECT_EQ(shape.replication, (std::vector{Replication::kCopies, Replication::kOnHost}));
  EXPECT_TRUE(HasShape(data.MakeStep(), Rules(), shape));
  data.x[0] = 9;
  EXPECT_TRUE(HasShape(data.MakeStep(), Rules(), shape)) << "values in device memory are none of it";
  data.first = data.second = {3, 5};
  EXPECT_FALSE(HasShape(data.MakeStep(), Rules(), shape));
}

TEST(ShapeValues, LieWhereTensorRtReadsThemAndKeepAStepFromBeingCaptured) {
  const TwoRanks data;
  StepPlan plan;
  plan.shape = ShapeOf(data.MakeStep(), Rules());
  ASSERT_FALSE(plan.shape.values[1].empty());
  EXPECT_EQ(reinterpret_cast<uintptr_t>(plan.shape.values[1].data()) % 256, 0U);
  EXPECT_TRUE(plan.ReadsHost());
  plan.shape.replication.pop_back();
  EXPECT_FALSE(plan.ReadsHost());
}

TEST(ShapeValues, AreNotGatheredHoweverLarge) {
  const TwoRanks data;
  InputRules rules = Rules();
  rules.gather.from_host = 1;
  EXPECT_EQ(ShapeOf(data.MakeStep(), rules).replication,
            (std::vector{Replication::kGather, Replication::kOnHost}));
}

TEST(ShapeOf, GathersByWhereAnInputLies) {
  const TwoRanks data;
  Step step = data.MakeStep();
  auto way_on = [&](MemoryKind kind, DeviceId device, const GatherSizes& gather) {
    for (RankInputs& rank : step.ranks) {
      rank.tensors[0].data.kind = kind;
      rank.tensors[0].data.device = device;
    }
    InputRules rules = Rules();
    rules.gather = gather;
    const StepShape shape = ShapeOf(step, rules);
    EXPECT_TRUE(HasShape(step, rules, shape));
    return shape.replication.front();
  };
  const GatherSizes from_host{1, SIZE_MAX};
  EXPECT_EQ(way_on(MemoryKind::kPinned, DeviceId(0), from_host), Replication::kGather);
  EXPECT_EQ(way_on(MemoryKind::kDevice, DeviceId(1), from_host), Replication::kCopies);
  EXPECT_EQ(way_on(MemoryKind::kDevice, DeviceId(2), from_host), Replication::kGather) << "no rank's GPU";
  EXPECT_EQ(way_on(MemoryKind::kDevice, DeviceId(1), {1, 1}), Replication::kGather);
  EXPECT_EQ(way_on(MemoryKind::kDevice, DeviceId(1), {1, 9}), Replication::kCopies) << "8 bytes";
}

TEST(ShapeValues, AreTheSameOnEveryRank) {
  TwoRanks data;
  EXPECT_TRUE(CheckShapeValues(data.MakeStep(), Rules().inputs));
  data.second[1] = 7;
  EXPECT_EQ(CheckShapeValues(data.MakeStep(), Rules().inputs).error().message,
            "input 's' is a shape tensor: rank 1 has other values than rank 0");
}

TEST(ShapeValues, LieInHostMemory) {
  const TwoRanks data;
  Step step = data.MakeStep();
  step.ranks[0].tensors[1].data.kind = MemoryKind::kDevice;
  EXPECT_THAT(CheckShapeValues(step, Rules().inputs).error().message, HasSubstr("in host memory"));
}

}  // namespace
}  // namespace tessera::engine
