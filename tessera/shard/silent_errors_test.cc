// Splits that other systems got wrong without a word (issues of PyTorch's DTensor): none of them is a row
// here.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;

const State kPartial = State::Partial(ReduceOp::kSum);

// The rows of the last node in which input 0 is in `state`, as text.
std::vector<std::string> RowsWith(const graph::Graph& graph, const State& state, int parts = 2) {
  const OpView op(graph, graph.nodes().back());
  const Rows rows(op, RuleFor(op), Division{parts, {}});
  std::vector<std::string> texts;
  for (const Row& row : rows.With({false, 0}, state)) texts.push_back(testing::Describe(row));
  return texts;
}
using Texts = std::vector<std::string>;

TEST(SilentErrors, StridedViewKeepsItsSegments) {  // pytorch#179502
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {3, 4, 5}), b.Ints("t", {12, 5})}, {12, 5});
  EXPECT_EQ(RowsWith(b.graph(), State::Split(1)), Texts{"S(1) R -> S(0,3x4)"}) << "not the plain S(0)";
}

TEST(SilentErrors, StridedViewIsNotSplitAgainAsIfPlain) {  // pytorch#179502
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {12, 5}), b.Ints("t", {4, 3, 5})}, {4, 3, 5});
  EXPECT_EQ(RowsWith(b.graph(), State::Split(0, Cut::Of({{4, 3}}, 12))), Texts{})
      << "segments of 4 cross the rows of 3";
}

TEST(SilentErrors, UnevenViewIsNoRow) {  // pytorch#143372
  GraphBuilder b;
  b.Op("Reshape", {b.Input("x", {6, 5}), b.Ints("t", {3, 2, 5})}, {3, 2, 5});
  EXPECT_EQ(RowsWith(b.graph(), State::Split(0)), Texts{}) << "6 divides by 2, the major factor 3 does not";
}

TEST(SilentErrors, MeanOfUnevenShardsIsNoRow) {  // pytorch#162692
  GraphBuilder b;
  b.Op("ReduceMean", {b.Input("x", {5, 4}), b.Ints("a", {0})}, {1, 4});
  EXPECT_EQ(RowsWith(b.graph(), State::Split(0)), Texts{});
}

TEST(SilentErrors, NormOfAPartialSumIsNoRow) {  // pytorch#159856
  for (const char* norm :
       {"ReduceL2", "ReduceL1", "ReduceSumSquare", "ReduceLogSumExp", "ReduceMax", "ReduceProd"}) {
    GraphBuilder b;
    b.Op(norm, {b.Input("x", {4, 4}), b.Ints("a", {1})}, {4, 1});
    EXPECT_EQ(RowsWith(b.graph(), kPartial), Texts{}) << norm;
  }
}

TEST(SilentErrors, APartialSumPlusAScalarIsNoRow) {  // pytorch#163193
  GraphBuilder b;
  b.Op("Add", {b.Input("x", {4, 4}), b.Input("s", {})}, {4, 4});
  EXPECT_EQ(RowsWith(b.graph(), kPartial), Texts{"P(sum) P(sum) -> P(sum)"})
      << "the scalar would be added N times";
}

TEST(SilentErrors, ThePowerOfAPartialSumIsNoRow) {
  GraphBuilder b;
  b.Op("Mul", {b.Input("x", {4}), b.Input("y", {4})}, {4});
  EXPECT_EQ(RowsWith(b.graph(), kPartial), Texts{"P(sum) R -> P(sum)"}) << "never two partial factors";
}

}  // namespace
}  // namespace tessera::shard
