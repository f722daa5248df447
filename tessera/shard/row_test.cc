#include "tessera/shard/row.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <numeric>

#include "tessera/shard/rules/factor_chain.h"
#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::Describe;
using testing::GraphBuilder;

// The rows of the last node of a graph.
Rows LastRows(const graph::Graph& graph, int parts, std::set<int32_t> symbols = {}) {
  const OpView op(graph, graph.nodes().back());
  return {op, RuleFor(op), Division{parts, std::move(symbols)}};
}

TEST(Rows, OfAnUnknownOpAreTheReplicatedOneOnly) {
  GraphBuilder b;
  b.Op("Mystery", {b.Input("x", {4}), graph::kNoValue}, {4});
  const Rows rows = LastRows(b.graph(), 2);
  EXPECT_EQ(Describe(rows.Replicated()), "R * -> R");
  EXPECT_TRUE(rows.With({false, 0}, State::Split(0)).empty());
}

TEST(Rows, CutNothingThatDoesNotDivide) {
  GraphBuilder b;
  b.Op("Relu", {b.Input("x", {4, 6})}, {4, 6});
  EXPECT_TRUE(LastRows(b.graph(), 4).With({false, 0}, State::Split(1)).empty());
  EXPECT_EQ(LastRows(b.graph(), 4).With({false, 0}, State::Split(0)).size(), 1U);
}

TEST(Rows, CutADynamicSizeOnlyWhereItIsSaidToDivide) {
  GraphBuilder b;
  b.Op("Relu", {b.Input("x", {kDynamic, 6}, {0})}, {kDynamic, 6}, {}, {0});
  EXPECT_TRUE(LastRows(b.graph(), 2).With({false, 0}, State::Split(0)).empty());
  EXPECT_EQ(LastRows(b.graph(), 2, {0}).With({false, 0}, State::Split(0)).size(), 1U);
}

TEST(Rows, OfFusedQkvKeepEveryPieceCut) {
  GraphBuilder b;
  b.Ops("Split", {b.Input("x", {3, 12}), b.Ints("s", {8, 2, 2})}, {{3, 8}, {3, 2}, {3, 2}},
        {{"axis", int64_t{1}}});
  const auto rows = LastRows(b.graph(), 2).With({true, 1}, State::Split(1));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(Describe(rows[0]), "S(1,1x8+2x2) R -> S(1) S(1) S(1)");
}

TEST(Rows, RefuseASegmentAcrossTwoPieces) {
  GraphBuilder b;
  b.Ops("Split", {b.Input("x", {8})}, {{2}, {6}},
        {{"axis", int64_t{0}}, {"split", std::vector<int64_t>{2, 6}}});
  EXPECT_TRUE(LastRows(b.graph(), 2).With({false, 0}, State::Split(0, Cut::Of({{4, 2}}, 8))).empty());
}

// The places, in the flattened whole, of what a rank holds, in its order.
std::vector<int64_t> Places(const Shape& shape, const State& state, int parts, int rank) {
  std::vector<int64_t> all(static_cast<size_t>(ElementCount(shape)));
  std::iota(all.begin(), all.end(), 0);
  if (!state.split()) return all;
  const auto axis = static_cast<size_t>(state.axis);
  const auto held = state.cut.Indices(shape[axis], parts, rank);
  const int64_t inner = ElementCount({shape.begin() + state.axis + 1, shape.end()});
  const int64_t outer = ElementCount({shape.begin(), shape.begin() + state.axis});
  std::vector<int64_t> places;
  for (int64_t o = 0; o < outer; ++o) {
    for (const int64_t h : held) {
      for (int64_t i = 0; i < inner; ++i) places.push_back((o * shape[axis] + h) * inner + i);
    }
  }
  return places;
}

// Two shapes of the same elements.
std::pair<Shape, Shape> AnyReshape(int parts) {
  std::vector<int64_t> factors = *rc::gen::container<std::vector<int64_t>>(
      *rc::gen::inRange<size_t>(1, 6), rc::gen::element<int64_t>(1, 2, 3, 5, parts));
  const auto grouped = [&] {
    Shape shape{1};
    for (const int64_t f : factors) {
      if (*rc::gen::arbitrary<bool>()) shape.push_back(1);
      shape.back() *= f;
    }
    return shape;
  };
  const Shape from = grouped();
  const Shape to = grouped();
  return {from, to};
}

RC_GTEST_PROP(FactorChainProperty, EveryRowHoldsTheSameElementsOnBothSides, ()) {
  const int parts = *rc::gen::inRange(2, 5);
  const auto [from, to] = AnyReshape(parts);
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", from), b.Ints("t", to)}, to);
  const OpView op(b.graph(), b.last());
  for (const Row& row : testing::AllRows(LastRows(b.graph(), parts), op)) {
    for (int rank = 0; rank < parts; ++rank)
      RC_ASSERT(Places(from, *row.inputs[0], parts, rank) == Places(to, row.outputs[0], parts, rank));
  }
}

RC_GTEST_PROP(FactorChainProperty, DimensionsAreProductsOfTheirFactors, ()) {
  const auto [from, to] = AnyReshape(2);
  GraphBuilder b;
  const auto x = b.Input("x", from);
  const auto y = b.Input("y", to);
  const Rule rule = FactorChain(b.graph().value(x), b.graph().value(y));
  const auto check = [&](const Shape& shape, const FactorShape& dims) {
    for (size_t d = 0; d < shape.size(); ++d) {
      int64_t product = 1;
      for (const int f : dims[d]) product *= rule.factors[static_cast<size_t>(f)].size;
      RC_ASSERT(product == shape[d]);
    }
  };
  check(from, rule.inputs[0]);
  check(to, rule.outputs[0]);
}

TEST(FactorChain, KeepsDynamicDimensionsThatAreTheSame) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {kDynamic, kDynamic, 24}, {0, 1}), b.Ints("t", {0, -1, 3, 4, 2})},
       {kDynamic, kDynamic, 3, 4, 2}, {}, {0, 1});
  const auto rows = LastRows(b.graph(), 4).With({true, 0}, State::Split(3));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(Describe(rows[0]), "S(2,3x8) R -> S(3)");
}

TEST(FactorChain, MergesDynamicBatchAndHeads) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {kDynamic, 4, 6}, {0}), b.Ints("t", {-1, 6})}, {kDynamic, 6}, {}, {1});
  const auto rows = LastRows(b.graph(), 2).With({false, 0}, State::Split(1));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(Describe(rows[0]), "S(1) R -> S(0,*x4)");
}

TEST(FactorChain, HeadsSpreadFromFewerAreTakenFromCopies) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {3, 2, 4, 5}), b.Ints("t", {3, 8, 5})}, {3, 8, 5});
  const OpView op(b.graph(), b.last());
  const auto rows = Rows(op, RuleFor(op), Division{4, {}, true}).With({true, 0}, State::Split(1));
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(Describe(rows[0]), "S(1,plain*2) R -> S(1,plain*2)");
}

TEST(Rows, CopiesAreNeverSummed) {
  GraphBuilder b;
  b.Op("MatMul", {b.Input("x", {3, 8}), b.Weight("w", {8, 5})}, {3, 5});
  const OpView op(b.graph(), b.last());
  const State copies = State::Split(1, Cut().WithCopies(2));
  EXPECT_TRUE(Rows(op, RuleFor(op), Division{4, {}, true}).With({false, 0}, copies).empty());
}

TEST(FactorChain, DoesNotMixUpDimensionsOfUnknownSize) {
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {kDynamic, kDynamic}, {0, 1}), b.Ints("t", {-1, 4})}, {kDynamic, 4}, {}, {2});
  EXPECT_TRUE(LastRows(b.graph(), 2, {0, 1, 2}).With({false, 0}, State::Split(1)).empty());
}

}  // namespace
}  // namespace tessera::shard
