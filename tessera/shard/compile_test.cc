#include "tessera/shard/compile.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;

// x [8,64] through a matrix product of these sizes.
graph::Graph Product(int64_t rows, int64_t columns) {
  GraphBuilder b;
  b.Output(b.Op("MatMul", {b.Input("x", {7, rows}), b.Weight("w", {rows, columns})}, {7, columns}));
  return b.graph();
}

Options For(int ranks, const std::string& strategy) {
  Options options;
  options.ranks = ranks;
  options.strategy = strategy;
  return options;
}

TEST(Compile, RefusesRanksOutOfRange) {
  const auto compiled = Compile(Product(4, 4), For(0, "tensor"));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, Code::kInvalidArgument);
  EXPECT_THAT(compiled.error().message, HasSubstr("--ranks is 0"));
}

TEST(Compile, NamesTheStrategiesThatItKnows) {
  const auto compiled = Compile(Product(4, 4), For(2, "magic"));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, Code::kInvalidArgument);
  EXPECT_THAT(compiled.error().message,
              HasSubstr("strategy 'magic' is not known, wanted one of: auto, tensor"));
}

TEST(Compile, RefusesAMeshOfTwoAxesWithTheReason) {
  for (const char* strategy : {"tensor+data", "tensor,context", "tp*dp"}) {
    const auto compiled = Compile(Product(64, 64), For(4, strategy));
    ASSERT_FALSE(compiled) << strategy;
    EXPECT_EQ(compiled.error().code, Code::kUnsupported);
    EXPECT_THAT(compiled.error().message, HasSubstr("an engine has one communicator, of all its ranks"));
  }
}

TEST(Compile, SaysWhyNoWeightCanBeSplit) {
  const auto compiled = Compile(Product(5, 9), For(2, "tensor"));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, Code::kUnsupported);
  EXPECT_THAT(compiled.error().message, HasSubstr("over 2 ranks"));
}

TEST(Compile, OneRankIsTheModelItself) {
  const auto compiled = Compile(Product(4, 4), For(1, "auto"));
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(compiled->model.parts, 1);
  EXPECT_TRUE(compiled->model.collectives.empty());
}

TEST(Compile, TensorSplitsTheOnlyWeight) {
  const auto compiled = Compile(Product(64, 64), For(2, "tensor"));
  ASSERT_TRUE(compiled) << compiled.error().message;
  EXPECT_EQ(compiled->model.parts, 2);
  const auto& constants = compiled->model.constants;
  EXPECT_TRUE(
      std::any_of(constants.begin(), constants.end(), [](const auto& c) { return c.second.state.split(); }));
}

TEST(Compile, AWeightThatIsDecodedIsStoredSplit) {
  GraphBuilder b;
  const auto stored = b.Weight("w_int8", {64, 64});
  const auto decoded =
      b.Op("Mul", {b.Op("Cast", {stored}, {64, 64}), b.Weight("w_scale", {1, 64})}, {64, 64});
  b.Output(b.Op("MatMul", {b.Input("x", {8, 64}), decoded}, {8, 64}));
  const auto compiled = Compile(b.graph(), For(2, "tensor"));
  ASSERT_TRUE(compiled) << compiled.error().message;
  const auto& constants = compiled->model.constants;
  EXPECT_TRUE(std::any_of(constants.begin(), constants.end(), [](const auto& c) {
    return c.second.state.split() && c.second.whole->shape == Shape{64, 64};
  }));
}

TEST(Compile, RefusesNumbersDrawnByChance) {
  GraphBuilder b;
  const auto noise = b.Op("RandomNormalLike", {b.Input("x", {8, 64})}, {8, 64});
  b.Output(b.Op("MatMul", {noise, b.Weight("w", {64, 64})}, {8, 64}));
  const auto compiled = Compile(b.graph(), For(2, "tensor"));
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().code, Code::kUnsupported);
  EXPECT_THAT(compiled.error().message, HasSubstr("every rank would draw other numbers"));
}

}  // namespace
}  // namespace tessera::shard
