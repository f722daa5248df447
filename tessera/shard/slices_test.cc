#include "tessera/shard/slices.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::ValueId;
using testing::GraphBuilder;

// A projection to 12 columns, and what is cut out of it.
class Sliced {
 public:
  explicit Sliced(int64_t opset = 18) : b_(opset) {
    x_ = b_.Op("MatMul", {b_.Input("x", {2, 4}), b_.Weight("w", {4, 12})}, {2, 12});
  }

  Sliced& Cut(int64_t start, int64_t end, int64_t step = 1) {
    const std::string n = std::to_string(count_++);
    b_.Output(b_.Op("Slice",
                    {x_, b_.Ints("start" + n, {start}), b_.Ints("end" + n, {end}), b_.Ints("axis" + n, {1}),
                     b_.Ints("step" + n, {step})},
                    {2, kDynamic}));
    return *this;
  }
  Sliced& After(const std::string& op) {
    x_ = b_.Op(op, {x_}, {2, 12});
    return *this;
  }

  // The nodes behind the projection, with the shapes that they give.
  std::string Text() {
    SplitWhereSliced(b_.graph());
    std::vector<std::string> nodes;
    for (const graph::Node& node : b_.graph().nodes()) {
      std::vector<std::string> shapes;
      for (const ValueId id : node.outputs) shapes.push_back(ToString(b_.graph().value(id).shape));
      if (node.op_type != "MatMul")
        nodes.push_back(fmt::format("{} {}", node.op_type, fmt::join(shapes, " ")));
    }
    return fmt::format("{}", fmt::join(nodes, "; "));
  }

 private:
  GraphBuilder b_;
  ValueId x_;
  int count_ = 0;
};

TEST(SplitWhereSliced, PiecesOfAProjectionAreOneSplit) {
  EXPECT_EQ(Sliced().Cut(4, 8).Cut(0, 4).Cut(8, 12).Text(), "Split [2,4] [2,4] [2,4]");
}
TEST(SplitWhereSliced, ABoundMayCountFromTheEnd) {
  EXPECT_EQ(Sliced().Cut(0, -4).Cut(-4, 1000).Text(), "Split [2,8] [2,4]");
}
TEST(SplitWhereSliced, AnActivationMayStandBetween) {
  EXPECT_EQ(Sliced().After("Gelu").Cut(0, 6).Cut(6, 12).Text(), "Gelu [2,12]; Split [2,6] [2,6]");
}
TEST(SplitWhereSliced, WhatNobodyReadsIsAPiece) {
  EXPECT_EQ(Sliced().Cut(0, 2).Cut(4, 8).Text(), "Split [2,2] [2,2] [2,4] [2,4]");
}
TEST(SplitWhereSliced, SlicesThatOverlapStay) {
  EXPECT_EQ(Sliced().Cut(0, 6).Cut(4, 12).Text(), "Slice [2,-1]; Slice [2,-1]");
}
TEST(SplitWhereSliced, OneSliceStays) {
  EXPECT_EQ(Sliced().Cut(0, 6).Text(), "Slice [2,-1]");
}
TEST(SplitWhereSliced, EverySecondElementStays) {
  EXPECT_EQ(Sliced().Cut(0, 12, 2).Cut(1, 12, 2).Text(), "Slice [2,-1]; Slice [2,-1]");
}
TEST(SplitWhereSliced, WhatIsNoProjectionStays) {
  EXPECT_EQ(Sliced().After("Softmax").Cut(0, 6).Cut(6, 12).Text(),
            "Softmax [2,12]; Slice [2,-1]; Slice [2,-1]");
}

}  // namespace
}  // namespace tessera::shard
