// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(ContractionRule, MatMulWithBatch) {
  GraphBuilder b;
  b.Op("MatMul", {b.Input("x", {2, 3, 4}), b.Weight("w", {4, 6})}, {2, 3, 6});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=3 c=4+ d=6 | a b c, c d -> a b d linear(0) linear(1) weights(0,1)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R P(avg) -> P(avg)\n"
            "R P(sum) -> P(sum)\n"
            "R S(1) -> S(2)\n"
            "S(0) R -> S(0)\n"
            "S(2) S(0) -> P(sum)");
}
TEST(ContractionRule, MatMulOfVectorAndMatrix) {
  GraphBuilder b;
  b.Op("MatMul", {b.Input("x", {4}), b.Weight("w", {4, 6})}, {6});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4+ b=6 | a, a b -> b linear(0) linear(1) weights(0,1)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R P(avg) -> P(avg)\n"
            "R P(sum) -> P(sum)\n"
            "R S(1) -> S(0)\n"
            "S(0) S(0) -> P(sum)");
}
TEST(ContractionRule, GemmTransposedWithBias) {
  GraphBuilder b;
  b.Op("Gemm", {b.Input("x", {3, 4}), b.Weight("w", {6, 4}), b.Weight("b", {6})}, {3, 6},
       {{"transB", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=3 b=4+ c=6 | a b, c b, c -> a c linear(0) linear(1) addends(2) weights(0,1)\n"
            "P(avg) R P(avg) -> P(avg)\n"
            "P(sum) R P(sum) -> P(sum)\n"
            "R P(avg) P(avg) -> P(avg)\n"
            "R P(sum) P(sum) -> P(sum)\n"
            "R S(0) S(0) -> S(1)\n"
            "S(1) S(1) P(sum) -> P(sum)");
}
TEST(ContractionRule, EinsumIsItsEquation) {
  GraphBuilder b;
  b.Op("Einsum", {b.Input("x", {2, 3, 4}), b.Input("y", {2, 4, 6})}, {2, 3, 6},
       {{"equation", std::string("bij,bjk->bik")}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=3 c=4+ d=6 | a b c, a c d -> a b d linear(0) linear(1) weights(0,1)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "R P(avg) -> P(avg)\n"
            "R P(sum) -> P(sum)\n"
            "R S(2) -> S(2)\n"
            "S(0) S(0) -> S(0)\n"
            "S(2) S(1) -> P(sum)");
}
TEST(ContractionRule, EinsumWithARepeatedLetterHasNone) {
  GraphBuilder b;
  b.Op("Einsum", {b.Input("x", {4, 4})}, {4}, {{"equation", std::string("ii->i")}});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "no rule");
}

}  // namespace
}  // namespace tessera::shard
