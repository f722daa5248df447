// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(MovementRule, TransposePermutes) {
  GraphBuilder b;
  b.Op("Transpose", {b.Input("x", {2, 4, 6})}, {6, 2, 4}, {{"perm", std::vector<int64_t>{2, 0, 1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 c=6 | a b c -> c a b linear(0)\n"
            "P(avg) -> P(avg)\n"
            "P(sum) -> P(sum)\n"
            "S(0) -> S(1)\n"
            "S(1) -> S(2)\n"
            "S(2) -> S(0)");
}
TEST(MovementRule, ReshapeIntoHeads) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {2, 5, 12}), b.Ints("t", {2, 5, 4, 3})}, {2, 5, 4, 3});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=5 c=4 d=3 | a b (c d), . -> a b c d linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) R -> S(0)\n"
            "S(2) R -> S(2)");
}
TEST(MovementRule, ReshapeOfDynamicBatchIntoHeads) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {kDynamic, kDynamic, 12}, {0, 1}), b.Ints("t", {0, 0, 4, 3})},
       {kDynamic, kDynamic, 4, 3}, {}, {0, 1});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=? b=? c=4 d=3 | a b (c d), . -> a b c d linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(2) R -> S(2)");
}
TEST(MovementRule, UnsqueezeAddsADimensionThatIsNeverCut) {
  GraphBuilder b;
  b.Op("Unsqueeze", {b.Input("x", {2, 4}), b.Ints("a", {1})}, {2, 1, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 | a b, . -> a . b linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) R -> S(0)\n"
            "S(1) R -> S(2)");
}
TEST(MovementRule, ExpandedDimensionIsOfTheOutputOnly) {
  GraphBuilder b;
  b.Op("Expand", {b.Input("x", {1, 4}), b.Ints("t", {6, 4})}, {6, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 b=6 | . a, . -> b a linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R R -> S(0)\n"
            "S(1) R -> S(1)");
}
TEST(MovementRule, TileRepeatsAsTheMajorFactor) {
  GraphBuilder b;
  b.Op("Tile", {b.Input("x", {4, 2}), b.Ints("r", {3, 1})}, {12, 2});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 b=2 c=3! | a b, . -> (c a) b linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) R -> S(0,3x4)\n"
            "S(1) R -> S(1)");
}
TEST(MovementRule, ConcatCutsEveryPieceAlike) {
  GraphBuilder b;
  b.Op("Concat", {b.Input("x", {2, 4}), b.Input("y", {2, 6})}, {2, 10}, {{"axis", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 | a ., a . -> a . linear(0,1) join(axis 1, inputs are pieces)\n"
            "P(avg) P(avg) -> P(avg)\n"
            "P(sum) P(sum) -> P(sum)\n"
            "S(0) S(0) -> S(0)\n"
            "S(1) S(1) -> S(1,1x4+1x6)");
}
TEST(MovementRule, SplitOfFusedQkv) {
  GraphBuilder b;
  b.Ops("Split", {b.Input("x", {3, 12}), b.Ints("s", {8, 2, 2})}, {{3, 8}, {3, 2}, {3, 2}},
        {{"axis", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=3 | a ., . -> a ., a ., a . linear(0) join(axis 1, outputs are pieces)\n"
            "P(avg) R -> P(avg) P(avg) P(avg)\n"
            "P(sum) R -> P(sum) P(sum) P(sum)\n"
            "S(1,1x8+2x2) R -> S(1) S(1) S(1)");
}
TEST(MovementRule, SliceKeepsItsAxisWhole) {
  GraphBuilder b;
  b.Op("Slice", {b.Input("x", {4, 6}), b.Ints("s", {1}), b.Ints("e", {3}), b.Ints("a", {1})}, {4, 2});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a ., ., ., . -> a . linear(0)\n"
            "P(avg) R R R -> P(avg)\n"
            "P(sum) R R R -> P(sum)\n"
            "S(0) R R R -> S(0)");
}

}  // namespace
}  // namespace tessera::shard
