// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(NormalizationRule, SoftmaxMayBeSplitAlongItsAxis) {
  GraphBuilder b;
  b.Op("Softmax", {b.Input("x", {2, 4, 6})}, {2, 4, 6}, {{"axis", int64_t{-1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 c=6 | a b c -> a b c across(c)\n"
            "S(0) -> S(0)\n"
            "S(1) -> S(1)\n"
            "S(2) -> S(2)");
}
TEST(NormalizationRule, SoftmaxBeforeOpset13FlattensFromItsAxisOn) {
  GraphBuilder b(11);
  b.Op("Softmax", {b.Input("x", {2, 4, 6})}, {2, 4, 6}, {{"axis", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 | a . . -> a . .\n"
            "S(0) -> S(0)");
}
TEST(NormalizationRule, LayerNormalizationKeepsItsAxesWhole) {
  GraphBuilder b;
  b.Op("LayerNormalization", {b.Input("x", {2, 4, 6}), b.Weight("g", {6}), b.Weight("b", {6})}, {2, 4, 6});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 | a b ., ., . -> a b .\n"
            "S(0) R R -> S(0)\n"
            "S(1) R R -> S(1)");
}

}  // namespace
}  // namespace tessera::shard
