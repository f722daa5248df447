#include "tessera/shard/lean.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;

constexpr int kRanks = 2;

// Two large weights, and behind what is not linear a small one that can only be split with a sum of its own.
struct Model {
  Model() {
    const auto x = b.Input("x", {8, 64});
    const auto h = b.Op("Relu", {b.Op("MatMul", {x, b.Weight("up", {64, 512})}, {8, 512})}, {8, 512});
    const auto y = b.Op("Tanh", {b.Op("MatMul", {h, b.Weight("down", {512, 64})}, {8, 64})}, {8, 64});
    b.Output(b.Op("Softmax", {b.Op("MatMul", {y, b.Weight("small", {64, 3})}, {8, 3})}, {8, 3}));
    candidates = Propagate(b.graph(), Space{.parts = kRanks, .weights = true});
  }
  double Held(double slack) const {
    const CostModel cost(b.graph(), DefaultMachine(Machine::Device::kCpu), Objective{1.0, 1, slack}, kRanks,
                         {});
    const auto found = SearchLean(b.graph(), candidates, cost, slack);
    return found ? HeldWeights(b.graph(), candidates, *found, cost) : -1;
  }

  mutable GraphBuilder b;
  Candidates candidates;
};

constexpr double kLarge = 2 * 64 * 512 * 4;
constexpr double kSmall = 64 * 3 * 4;

TEST(SearchLean, WithoutSlackEveryWeightIsSplit) {
  EXPECT_EQ(Model().Held(0), (kLarge + kSmall) / kRanks);
}

TEST(SearchLean, ASmallWeightStaysWholeWhereSlackAllowsIt) {
  EXPECT_EQ(Model().Held(0.02), kLarge / kRanks + kSmall);
}

}  // namespace
}  // namespace tessera::shard
