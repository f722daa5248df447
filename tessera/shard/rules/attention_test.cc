// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(AttentionRule, FlatHeadsWithGroupedQueries) {
  GraphBuilder b(23);
  b.Op("Attention", {b.Input("q", {2, 5, 24}), b.Input("k", {2, 5, 12}), b.Input("v", {2, 5, 12})},
       {2, 5, 24}, {{"q_num_heads", int64_t{4}}, {"kv_num_heads", int64_t{2}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=5 c=2 d=2 e=6! f=5! g=6 | a b (c d e), a f (c e), a f (c g) -> a b (c d g)\n"
            "S(0) S(0) S(0) -> S(0)\n"
            "S(2) S(2) S(2) -> S(2)");
}
TEST(AttentionRule, FewerKeyHeadsThanRanksAreHeldInCopies) {
  GraphBuilder b(23);
  b.Op("Attention", {b.Input("q", {2, 5, 24}), b.Input("k", {2, 5, 6}), b.Input("v", {2, 5, 6})}, {2, 5, 24},
       {{"q_num_heads", int64_t{8}}, {"kv_num_heads", int64_t{2}}});
  const OpView op(b.graph(), b.last());
  const Rows rows(op, RuleFor(op), Division{4, {}, true});
  const auto found = rows.With({false, 0}, State::Split(2));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(testing::Describe(found[0]), "S(2) S(2,plain*2) S(2,plain*2) -> S(2)");
}
TEST(AttentionRule, OneKeyHeadIsHeldByAll) {
  GraphBuilder b(23);
  b.Op("Attention", {b.Input("q", {2, 8, 5, 3}), b.Input("k", {2, 1, 5, 3}), b.Input("v", {2, 1, 5, 3})},
       {2, 8, 5, 3});
  const OpView op(b.graph(), b.last());
  const Rows rows(op, RuleFor(op), Division{4, {}, true});
  const auto found = rows.With({false, 0}, State::Split(1));
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(testing::Describe(found[0]), "S(1) R R -> S(1)");
}
TEST(AttentionRule, HeadsOfFourDimensionsWithMask) {
  GraphBuilder b(23);
  b.Op("Attention",
       {b.Input("q", {2, 4, 6, 3}), b.Input("k", {2, 4, 8, 3}), b.Input("v", {2, 4, 8, 3}),
        b.Input("m", {6, 8})},
       {2, 4, 6, 3});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 c=6 d=3! e=8! f=3 | a b c d, a b e d, a b e f, c e -> a b c f\n"
            "S(0) S(0) S(0) R -> S(0)\n"
            "S(1) S(1) S(1) R -> S(1)\n"
            "S(2) R R S(0) -> S(2)");
}
TEST(AttentionRule, CausalMaskKeepsTheQueriesWhole) {
  GraphBuilder b(23);
  b.Op("Attention", {b.Input("q", {2, 4, 6, 3}), b.Input("k", {2, 4, 6, 3}), b.Input("v", {2, 4, 6, 3})},
       {2, 4, 6, 3}, {{"is_causal", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 c=6! d=3! e=6! f=3 | a b c d, a b e d, a b e f -> a b c f\n"
            "S(0) S(0) S(0) -> S(0)\n"
            "S(1) S(1) S(1) -> S(1)");
}

}  // namespace
}  // namespace tessera::shard
