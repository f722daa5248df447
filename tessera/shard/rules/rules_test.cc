// Golden text of the rules and of the rows that they give, by op: read as documentation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::kNoValue;
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

TEST(ConvolutionRule, ChannelsPassAndAreSummedOver) {
  GraphBuilder b;
  b.Op("Conv", {b.Input("x", {1, 4, 5, 5}), b.Weight("w", {6, 4, 3, 3}), b.Weight("b", {6})}, {1, 6, 3, 3});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=1 b=4+ c=5! d=5! e=6 f=3! g=3! h=3! i=3! | a b c d, e b f g, e -> a e h i linear(0) linear(1) "
            "addends(2) weights(1)\n"
            "P(avg) R P(avg) -> P(avg)\n"
            "P(sum) R P(sum) -> P(sum)\n"
            "R P(avg) P(avg) -> P(avg)\n"
            "R P(sum) P(sum) -> P(sum)\n"
            "R S(0) S(0) -> S(1)\n"
            "S(1) S(1) P(sum) -> P(sum)");
}
TEST(ConvolutionRule, GroupsAreACompound) {
  GraphBuilder b;
  b.Op("Conv", {b.Input("x", {1, 4, 5}), b.Weight("w", {8, 1, 3}), b.Weight("b", {8})}, {1, 8, 3},
       {{"group", int64_t{4}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=1 b=4 c=1! d=5! e=2! f=3! g=3! | a (b c) d, (b e) c f, (b e) -> a (b e) g weights(1)\n"
            "S(1) S(0) S(0) -> S(1)");
}

TEST(SpatialRule, DepthIsCutAsItsModeOrdersIt) {
  GraphBuilder block_first;
  block_first.Op("SpaceToDepth", {block_first.Input("x", {1, 2, 4, 4})}, {1, 8, 2, 2},
                 {{"blocksize", int64_t{2}}});
  EXPECT_THAT(DescribeLast(block_first.graph(), 2), ::testing::EndsWith("S(1) -> S(1,4x2)"));
  GraphBuilder channel_first;
  channel_first.Op("SpaceToDepth", {channel_first.Input("x", {1, 2, 4, 4})}, {1, 8, 2, 2},
                   {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}});
  EXPECT_THAT(DescribeLast(channel_first.graph(), 2), ::testing::EndsWith("S(1) -> S(1)"));
}

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

TEST(ReductionRule, ReduceSumOfACutAxisIsPartial) {
  GraphBuilder b;
  b.Op("ReduceSum", {b.Input("x", {2, 4}), b.Ints("a", {1})}, {2, 1});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4+ | a b, . -> a . linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) R -> S(0)\n"
            "S(1) R -> P(sum)");
}
TEST(ReductionRule, ReduceMeanAverages) {
  GraphBuilder b;
  b.Op("ReduceMean", {b.Input("x", {2, 4})}, {2},
       {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4~ | a b -> a linear(0)\n"
            "P(avg) -> P(avg)\n"
            "P(sum) -> P(sum)\n"
            "S(0) -> S(0)\n"
            "S(1) -> P(avg)");
}
TEST(ReductionRule, MeanOfIntegersRounds) {
  GraphBuilder b;
  b.Op("ReduceMean", {b.Input("x", {2, 4}, {}, DType::kInt32)}, {2},
       {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4! | a b -> a\n"
            "S(0) -> S(0)");
}
TEST(ReductionRule, ReduceMaxIsPartialMax) {
  GraphBuilder b;
  b.Op("ReduceMax", {b.Input("x", {2, 4}), b.Ints("a", {0, 1})}, {1, 1});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2> b=4> | a b, . -> . .\n"
            "S(0) R -> P(max)\n"
            "S(1) R -> P(max)");
}
TEST(ReductionRule, TopKLooksAcrossRanksThatHaveEnoughEach) {
  GraphBuilder b;
  const auto x = b.Input("x", {3, 8});
  b.Ops("TopK", {x, b.Ints("k", {4})}, {{3, 4}, {3, 4}});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "a=3 b=8 | a b, . -> a ., a . across(b)\nS(1) R -> R R");
  GraphBuilder many;
  const auto y = many.Input("x", {3, 8});
  many.Ops("TopK", {y, many.Ints("k", {5})}, {{3, 5}, {3, 5}});
  EXPECT_EQ(DescribeLast(many.graph(), 2), "a=3 b=8 | a b, . -> a ., a . across(b)");
}

TEST(ReductionRule, ArgMaxMayLookAcrossRanks) {
  GraphBuilder b;
  b.Op("ArgMax", {b.Input("x", {2, 4})}, {2, 1}, {{"axis", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 | a b -> a . across(b)\n"
            "S(0) -> S(0)\n"
            "S(1) -> R");
}

TEST(QuantizedRule, TermsOfAnInt32SumAreScaledAlike) {
  GraphBuilder b;
  b.Op("DequantizeLinear", {b.Input("x", {4}, {}, DType::kInt32), b.Weight("s", {4})}, {4},
       {{"axis", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a -> a linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) S(0) -> S(0)");
}
TEST(QuantizedRule, AZeroPointThatIsSubtractedOnceKeepsTermsWhole) {
  GraphBuilder b;
  b.Op("DequantizeLinear",
       {b.Input("x", {4}, {}, DType::kInt32), b.Weight("s", {4}), b.Input("z", {4}, {}, DType::kInt32)}, {4},
       {{"axis", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a, a -> a\n"
            "S(0) S(0) S(0) -> S(0)");
}

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

TEST(UnknownOp, HasNoRule) {
  GraphBuilder b;
  b.Op("NonMaxSuppression", {b.Input("x", {4})}, {4});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "no rule");
}

}  // namespace
}  // namespace tessera::shard
