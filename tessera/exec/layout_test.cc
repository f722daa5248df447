#include "tessera/exec/layout.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tessera/exec/testing/plan_directory.h"

namespace tessera::exec {
namespace {

using Kind = plan::Layout::Kind;

plan::Plan PlanOf(int ranks, std::vector<plan::TensorPlan> inputs,
                  std::vector<plan::TensorPlan> outputs = {}) {
  plan::Plan plan;
  plan.ranks.resize(static_cast<size_t>(ranks));
  plan.inputs = std::move(inputs);
  plan.outputs = std::move(outputs);
  return plan;
}

RC_GTEST_PROP(Layout, PartsPutTogetherAreTheWhole, ()) {
  const int ranks = *rc::gen::inRange(1, 5);
  Shape shape = *rc::gen::container<Shape>(*rc::gen::inRange<size_t>(1, 5), rc::gen::inRange<int64_t>(0, 5));
  const int axis = *rc::gen::inRange(0, static_cast<int>(shape.size()));
  shape[static_cast<size_t>(axis)] *= ranks;
  std::vector<int32_t> whole(static_cast<size_t>(ElementCount(shape)));
  std::iota(whole.begin(), whole.end(), 1);
  std::vector<int32_t> again(whole.size());

  for (int r = 0; r < ranks; ++r) {
    const ConstRegion from =
        Part(HostRegion(std::as_bytes(std::span(whole))), shape, 4, axis, Rank{r}, ranks);
    const Region to =
        Part(HostRegion(std::as_writable_bytes(std::span(again))), shape, 4, axis, Rank{r}, ranks);
    std::vector<int32_t> dense(whole.size() / static_cast<size_t>(ranks));
    CopyHost(from, HostRegion(std::as_writable_bytes(std::span(dense))));
    CopyHost(HostRegion(std::as_bytes(std::span(dense))), to);
  }
  RC_ASSERT(again == whole);
}

TEST(Layout, TakesAsManyRowsAsTheTightestInput) {
  const plan::Plan plan =
      PlanOf(2, {Planned("split", {kDynamic, 4}, {Kind::kSplit, 0, Rank{0}}), Planned("whole", {kDynamic}),
                 Planned("fixed", {3}), Planned("scalar", {})});
  Result<Layout> layout = Layout::Create(plan,
                                         {{"fixed", DType::kFloat32, {3}},
                                          {"scalar", DType::kFloat32, {}},
                                          {"whole", DType::kFloat32, {kDynamic}},
                                          {"split", DType::kFloat32, {kDynamic, 4}}},
                                         {});
  ASSERT_TRUE(layout) << layout.error().message;
  EXPECT_EQ(layout->MaxRows({}), std::nullopt);
  EXPECT_EQ(layout->MaxRows({{3}, {}, {64}, {16, 4}}), 32);
  EXPECT_EQ(layout->MaxRows({{3}, {}, {24}, {16, 4}}), 24);
}

TEST(Layout, SplitsAlongTheAxisWithoutCopying) {
  const plan::Plan plan = PlanOf(2, {Planned("x", {kDynamic, 4}, {Kind::kSplit, 1, Rank{0}})});
  Result<Layout> layout = Layout::Create(plan, {{"x", DType::kFloat32, {kDynamic, 2}}}, {});
  ASSERT_TRUE(layout) << layout.error().message;
  const std::vector<float> x(12);
  const TensorView view{DType::kFloat32, {3, 4}, HostRegion(std::as_bytes(std::span(x)))};
  Result<std::vector<engine::RankInputs>> parts = layout->Split(std::span(&view, 1));
  ASSERT_TRUE(parts) << parts.error().message;
  const TensorView& second = (*parts)[1].tensors[0];
  EXPECT_EQ(second.shape, (Shape{3, 2}));
  EXPECT_EQ(second.data.data, view.data.data + 8);
  EXPECT_EQ(second.data.rows, 3U);
  EXPECT_EQ(second.data.row_bytes, 8U);
  EXPECT_EQ(second.data.pitch, 16U);
}

TEST(Layout, HandsInputsOverInTheEnginesOrder) {
  const plan::Plan plan = PlanOf(1, {Planned("a", {1}), Planned("b", {2})});
  Result<Layout> layout =
      Layout::Create(plan, {{"b", DType::kFloat32, {2}}, {"a", DType::kFloat32, {1}}}, {});
  ASSERT_TRUE(layout);
  const std::vector<float> data(2);
  const ConstRegion region = HostRegion(std::as_bytes(std::span(data)));
  const std::vector<TensorView> views{{DType::kFloat32, {1}, {region.data, 1, 4, 4}},
                                      {DType::kFloat32, {2}, region}};
  Result<std::vector<engine::RankInputs>> parts = layout->Split(views);
  ASSERT_TRUE(parts) << parts.error().message;
  EXPECT_EQ((*parts)[0].tensors[0].shape, (Shape{2}));
  EXPECT_EQ((*parts)[0].tensors[1].shape, (Shape{1}));
}

TEST(Layout, AnEngineWithOtherTensorsIsRefused) {
  const plan::Plan plan = PlanOf(2, {Planned("x", {4}, {Kind::kSplit, 0, Rank{0}})}, {Planned("y", {1})});
  const TensorSpec x{"x", DType::kFloat32, {2}};
  const TensorSpec y{"y", DType::kFloat32, {1}};
  const auto line = [&](const std::vector<TensorSpec>& inputs, const std::vector<TensorSpec>& outputs) {
    Result<Layout> layout = Layout::Create(plan, inputs, outputs);
    return layout ? "taken" : layout.error().message;
  };
  EXPECT_EQ(line({x}, {y}), "taken");
  EXPECT_EQ(line({{"z", DType::kFloat32, {2}}}, {y}), "the engine has no input 'x', which the plan wants");
  EXPECT_EQ(line({{"x", DType::kFloat32, {4}}}, {y}),
            "input 'x' is FP32 [4] in a rank's engine, the plan wants FP32 [4] over 2 ranks");
  EXPECT_EQ(line({{"x", DType::kInt32, {2}}}, {y}),
            "input 'x' is INT32 [2] in a rank's engine, the plan wants FP32 [4] over 2 ranks");
  EXPECT_EQ(line({x}, {}), "the engine has no output 'y', which the plan wants");
  EXPECT_EQ(line({x}, {y, x}), "the engine has 2 outputs, the plan wants 1");
}

struct BadInput {
  DType type;
  Shape shape;
  size_t bytes;
  const char* line;
};

class LayoutBadInput : public ::testing::TestWithParam<BadInput> {};

TEST_P(LayoutBadInput, IsNamedWithTheGotAndTheWanted) {
  const plan::Plan plan =
      PlanOf(2, {Planned("n", {kDynamic}, {}, {"batch"}),
                 Planned("ids", {kDynamic, 8}, {Kind::kSplit, 0, Rank{0}}, {"batch", ""})});
  Result<Layout> layout =
      Layout::Create(plan, {{"n", DType::kFloat32, {kDynamic}}, {"ids", DType::kFloat32, {kDynamic, 8}}}, {});
  ASSERT_TRUE(layout);
  const std::vector<std::byte> data(1024);
  const std::vector<TensorView> views{
      {DType::kFloat32, {4}, HostRegion(Bytes{data}.first(16))},
      {GetParam().type, GetParam().shape, HostRegion(Bytes{data}.first(GetParam().bytes))}};
  Result<std::vector<engine::RankInputs>> parts = layout->Split(views);
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().code, Code::kInvalidArgument);
  EXPECT_EQ(parts.error().message, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, LayoutBadInput,
    ::testing::Values(
        BadInput{DType::kInt64, {4, 8}, 256, "input 'ids' is INT64, model wants FP32"},
        BadInput{DType::kFloat32, {4, 7}, 112, "input 'ids' is [4,7], model wants [-1,8]"},
        BadInput{DType::kFloat32, {4}, 16, "input 'ids' is [4], model wants [-1,8]"},
        BadInput{DType::kFloat32, {-1, 8}, 0, "input 'ids' is [-1,8], model wants [-1,8]"},
        BadInput{DType::kFloat32, {4, 8}, 100, "input 'ids' [4,8] has 100 bytes of data, wanted 128"},
        BadInput{DType::kFloat32, {3, 8}, 96, "input 'ids' is [3,8]: axis 0 does not divide by 2 ranks"},
        BadInput{DType::kFloat32, {2, 8}, 64, "input 'ids' is [2,8]: 'batch' is 2, but 4 in input 'n'"}));

TEST(Layout, AMissingInputIsCounted) {
  const plan::Plan plan = PlanOf(1, {Planned("x", {1})});
  Result<Layout> layout = Layout::Create(plan, {{"x", DType::kFloat32, {1}}}, {});
  ASSERT_TRUE(layout);
  Result<std::vector<engine::RankInputs>> parts = layout->Split({});
  ASSERT_FALSE(parts);
  EXPECT_EQ(parts.error().message, "0 inputs, model wants 1");
}

}  // namespace
}  // namespace tessera::exec
