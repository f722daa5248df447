// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(IndexingRule, GatherFindsWhatLiesInItsPart) {
  GraphBuilder b;
  b.Op("Gather", {b.Weight("table", {10, 4}), b.Input("ids", {2, 6}, {}, DType::kInt64)}, {2, 6, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=10+ b=4 c=2 d=6 | a b, c d -> c d b linear(0) looked_up(a)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R S(0) -> S(0)\n"
            "R S(1) -> S(1)\n"
            "S(0) R -> P(sum)\n"
            "S(1) R -> S(2)");
}
TEST(IndexingRule, GatherOfAFreeAxisKeepsItWhole) {
  GraphBuilder b;
  b.Op("Gather", {b.Input("x", {kDynamic, 4}, {0}), b.Input("ids", {6}, {}, DType::kInt64)}, {6, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 b=6 | . a, b -> b a linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R S(0) -> S(0)\n"
            "S(1) R -> S(1)");
}
TEST(IndexingRule, ShapeReadsAnyState) {
  GraphBuilder b;
  b.Op("Shape", {b.Input("x", {2, 6})}, {2});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "| . . -> . shape_only(0)");
}

}  // namespace
}  // namespace tessera::shard
