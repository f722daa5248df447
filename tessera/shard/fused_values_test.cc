#include "tessera/shard/fused_values.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;

bool Fused(const graph::Graph& graph, graph::ValueId value) {
  return FusedValues(graph)[static_cast<size_t>(value.value())];
}

TEST(FusedValues, AProductGoesStraightIntoTheOpBehindIt) {
  GraphBuilder b;
  const auto x = b.Input("x", {8, 16});
  const auto product = b.Op("MatMul", {x, b.Weight("w", {16, 4})}, {8, 4});
  const auto relu = b.Op("Relu", {product}, {8, 4});
  const auto root = b.Op("Sqrt", {relu}, {8, 4});
  b.Output(root);
  EXPECT_TRUE(Fused(b.graph(), product));
  EXPECT_TRUE(Fused(b.graph(), relu));
  EXPECT_FALSE(Fused(b.graph(), x)) << "it lies in memory";
  EXPECT_FALSE(Fused(b.graph(), root)) << "it is an output";
}

TEST(FusedValues, AValueOfTwoReadersIsWritten) {
  GraphBuilder b;
  const auto x = b.Input("x", {8, 16});
  const auto relu = b.Op("Relu", {x}, {8, 16});
  b.Output(b.Op("Add", {b.Op("Sqrt", {relu}, {8, 16}), b.Op("Exp", {relu}, {8, 16})}, {8, 16}));
  EXPECT_FALSE(Fused(b.graph(), relu));
}

TEST(FusedValues, NeitherAProductNorABroadcastTakesOthersIn) {
  GraphBuilder b;
  const auto x = b.Input("x", {1, 16});
  const auto before_product = b.Op("Relu", {x}, {1, 16});
  const auto small = b.Op("MatMul", {before_product, b.Weight("w", {16, 4})}, {1, 4});
  b.Output(b.Op("Add", {b.Input("y", {8, 4}), small}, {8, 4}));
  EXPECT_FALSE(Fused(b.graph(), before_product));
  EXPECT_FALSE(Fused(b.graph(), small)) << "it is read eight times";
}

}  // namespace
}  // namespace tessera::shard
