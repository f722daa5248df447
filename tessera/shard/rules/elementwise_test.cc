// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(ElementwiseRule, BroadcastAlignsAtTheRight) {
  GraphBuilder b;
  b.Op("Add", {b.Input("x", {2, 3, 4}), b.Input("y", {4})}, {2, 3, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=3 c=4 | a b c, c -> a b c linear(0,1)\n"
            "P(avg) P(avg) -> P(avg)\n"
            "P(sum) P(sum) -> P(sum)\n"
            "S(0) R -> S(0)\n"
            "S(2) S(0) -> S(2)");
}
TEST(ElementwiseRule, UnaryLetsNoPartialPass) {
  GraphBuilder b;
  b.Op("Gelu", {b.Input("x", {2, 4})}, {2, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 | a b -> a b\n"
            "S(0) -> S(0)\n"
            "S(1) -> S(1)");
}
TEST(ElementwiseRule, MulIsLinearInEachFactorAlone) {
  GraphBuilder b;
  b.Op("Mul", {b.Input("x", {3, 4}), b.Input("y", {3, 1})}, {3, 4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=3 b=4 | a b, a . -> a b linear(0) linear(1)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R P(avg) -> P(avg)\n"
            "R P(sum) -> P(sum)\n"
            "S(1) R -> S(1)");
}
TEST(ElementwiseRule, DivIsLinearInTheDividendOnly) {
  GraphBuilder b;
  b.Op("Div", {b.Input("x", {4}), b.Input("y", {4})}, {4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a -> a linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) S(0) -> S(0)");
}
TEST(ElementwiseRule, DivOfIntegersRounds) {
  GraphBuilder b;
  b.Op("Div", {b.Input("x", {4}, {}, DType::kInt32), b.Input("y", {4}, {}, DType::kInt32)}, {4});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a -> a\n"
            "S(0) S(0) -> S(0)");
}
TEST(ElementwiseRule, WhereIsLinearInBothBranches) {
  GraphBuilder b;
  b.Op("Where", {b.Input("c", {4, 1}, {}, DType::kBool), b.Input("x", {4, 2}), b.Input("y", {2})}, {4, 2});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 b=2 | a ., a b, b -> a b linear(1,2)\n"
            "R P(avg) P(avg) -> P(avg)\n"
            "R P(sum) P(sum) -> P(sum)\n"
            "R S(1) S(0) -> S(1)\n"
            "S(0) S(0) R -> S(0)");
}
TEST(ElementwiseRule, IntegerCastIsNoLinearMap) {
  GraphBuilder b;
  b.Op("Cast", {b.Input("x", {4})}, {4}, {{"to", int64_t{7}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a -> a\n"
            "S(0) -> S(0)");
}
TEST(UnknownOp, HasNoRule) {
  GraphBuilder b;
  b.Op("NonMaxSuppression", {b.Input("x", {4})}, {4});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "no rule");
}

}  // namespace
}  // namespace tessera::shard
