// What the rewriter, the converter and the local edits write, as text: a line each node of the rank graph.
#include "tessera/shard/rewrite.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "tessera/shard/check.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::ValueId;
using testing::GraphBuilder;

// "y [2,4] = MatMul(x, w.split)"; collectives by their operation.
std::string Text(const RankModel& model) {
  std::vector<std::string> lines;
  for (const graph::Node& node : model.graph.nodes()) {
    std::vector<std::string> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(model.graph.value(id).name);
    const graph::Value& out = model.graph.value(node.outputs[0]);
    const std::string op =
        node.op_type == "DistCollective" ? node.String("collective_operation", "?") : node.op_type;
    lines.push_back(
        fmt::format("{} {} = {}({})", out.name, ToString(out.shape), op, fmt::join(inputs, ", ")));
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

// Rewrites a graph in which the nodes run by the first row that has the given states of their first outputs.
class Plan {
 public:
  Plan(const graph::Graph& graph, int parts)
      : graph_(graph),
        parts_(parts),
        cost_(graph, DefaultMachine(Machine::Device::kCpu), Objective{}, parts, {}),
        candidates_(Propagate(graph, Space{parts, true, true, true})) {
    assignment_.row.assign(graph.nodes().size(), 0);
    assignment_.placement.resize(graph.values().size());
    assignment_.output.assign(graph.outputs().size(), State::Replicated());
  }

  // Node `n` runs by the row of this text of states of its inputs.
  Plan& Row(size_t n, const std::vector<std::optional<State>>& inputs) {
    const auto& rows = candidates_.rows[n];
    for (size_t r = 0; r < rows.size(); ++r) {
      if (rows[r].inputs != inputs) continue;
      assignment_.row[n] = static_cast<int>(r);
      const auto& outputs = graph_.nodes()[n].outputs;
      for (size_t o = 0; o < outputs.size(); ++o) Place(outputs[o]).produced = rows[r].outputs[o];
      return *this;
    }
    ADD_FAILURE() << "node " << n << " has no such row";
    return *this;
  }
  Plan& Made(ValueId id, const State& state) {
    Place(id).made = state;
    return *this;
  }
  Plan& Output(size_t i, const State& state) {
    assignment_.output[i] = state;
    return *this;
  }

  RankModel Write() const {
    auto model = Rewrite(graph_, candidates_, assignment_, cost_, parts_, "tp");
    if (!model) throw std::runtime_error(model.error().message);
    const auto checked = CheckRankModel(graph_, *model);
    EXPECT_TRUE(checked) << checked.error().message;
    return *std::move(model);
  }

 private:
  Placement& Place(ValueId id) { return assignment_.placement[static_cast<size_t>(id.value())]; }

  const graph::Graph& graph_;
  int parts_;
  CostModel cost_;
  Candidates candidates_;
  Assignment assignment_;
};

const State kR = State::Replicated();
const State kSum = State::Partial(ReduceOp::kSum);

TEST(Rewrite, ColumnThenRowEndsInOneAllReduce) {
  GraphBuilder b;
  const ValueId h = b.Op("MatMul", {b.Input("x", {2, 4}), b.Weight("a", {4, 8})}, {2, 8});
  const ValueId y = b.Op("MatMul", {h, b.Weight("b", {8, 6})}, {2, 6});
  b.Output(y);
  const RankModel model = Plan(b.graph(), 2)
                              .Row(0, {kR, State::Split(1)})
                              .Row(1, {State::Split(1), State::Split(0)})
                              .Made(y, kR)
                              .Write();
  EXPECT_EQ(Text(model),
            "MatMul_0.split [2,4] = MatMul(x, a.split)\n"
            "MatMul_1.partial [2,6] = MatMul(MatMul_0.split, b.split)\n"
            "MatMul_1 [2,6] = all_reduce(MatMul_1.partial)");
  ASSERT_EQ(model.collectives.size(), 1U);
  EXPECT_EQ(model.collectives[0].shape, (Shape{2, 6}));
}

TEST(Rewrite, WhatLiesOnOtherRanksIsFoundAsZero) {
  GraphBuilder b;
  const ValueId ids = b.Input("ids", {2, 3}, {}, DType::kInt64);
  const ValueId y = b.Op("Gather", {b.Input("table", {8, 4}), ids}, {2, 3, 4});
  b.Output(y);
  const RankModel model = Plan(b.graph(), 2).Row(0, {State::Split(0), kR}).Made(y, kR).Write();
  EXPECT_EQ(Text(model),
            "table.split [4,4] = Slice(table, table.split/start, table.split/end, table.split/axis)\n"
            "Gather_0/shifted [2,3] = Sub(ids, Gather_0/first)\n"
            "Gather_0/place [2,3] = Mod(Gather_0/shifted, Gather_0/size)\n"
            "Gather_0/here [2,3] = Less(Gather_0/place, Gather_0/part)\n"
            "Gather_0/local [2,3] = Where(Gather_0/here, Gather_0/place, Gather_0/nowhere)\n"
            "Gather_0.partial.found [2,3,4] = Gather(table.split, Gather_0/local)\n"
            "Gather_0/mask [2,3,1] = Unsqueeze(Gather_0/here, Gather_0/mask.axes)\n"
            "Gather_0.partial [2,3,4] = Where(Gather_0/mask, Gather_0.partial.found, Gather_0/zero)\n"
            "Gather_0 [2,3,4] = all_reduce(Gather_0.partial)");
}

TEST(Rewrite, BiasOfACutContractionIsAddedOnce) {
  GraphBuilder b;
  const ValueId y = b.Op("Gemm", {b.Input("x", {2, 4}), b.Weight("w", {4, 6}), b.Weight("c", {6})}, {2, 6});
  b.Output(y);
  const RankModel model =
      Plan(b.graph(), 2).Row(0, {State::Split(1), State::Split(0), kSum}).Made(y, kR).Write();
  EXPECT_EQ(Text(model),
            "x.split [2,2] = Slice(x, x.split/start, x.split/end, x.split/axis)\n"
            "Gemm_0.partial [2,6] = Gemm(x.split, w.split, c.partial)\n"
            "Gemm_0 [2,6] = all_reduce(Gemm_0.partial)");
}

TEST(Rewrite, OutputMayStayCut) {
  GraphBuilder b;
  b.Output(b.Op("MatMul", {b.Input("x", {2, 4}), b.Weight("w", {4, 8})}, {2, 8}));
  const RankModel model = Plan(b.graph(), 2).Row(0, {kR, State::Split(1)}).Output(0, State::Split(1)).Write();
  EXPECT_EQ(Text(model), "MatMul_0 [2,4] = MatMul(x, w.split)");
  EXPECT_EQ(model.outputs[0], State::Split(1));
}

TEST(Rewrite, GatherAlongAnotherAxisIsTransposedThereAndBack) {
  GraphBuilder b;
  const ValueId y = b.Op("MatMul", {b.Input("x", {2, 4}), b.Weight("w", {4, 8})}, {2, 8});
  b.Output(y);
  EXPECT_EQ(Text(Plan(b.graph(), 2).Row(0, {kR, State::Split(1)}).Made(y, kR).Write()),
            "MatMul_0.split [2,4] = MatMul(x, w.split)\n"
            "MatMul_0.front [4,2] = Transpose(MatMul_0.split)\n"
            "MatMul_0.blocks [8,2] = all_gather(MatMul_0.front)\n"
            "MatMul_0 [2,8] = Transpose(MatMul_0.blocks)");
}

TEST(Rewrite, ReshapeIntoHeadsAsksForTheRanksHeads) {
  GraphBuilder b;
  const ValueId h = b.Op("MatMul", {b.Input("x", {2, 4}), b.Weight("w", {4, 12})}, {2, 12});
  b.Output(b.Op("Reshape", {h, b.Ints("target", {2, 4, 3})}, {2, 4, 3}));
  const RankModel model = Plan(b.graph(), 2)
                              .Row(0, {kR, State::Split(1)})
                              .Row(1, {State::Split(1), kR})
                              .Output(0, State::Split(1))
                              .Write();
  EXPECT_EQ(Text(model),
            "MatMul_0.split [2,6] = MatMul(x, w.split)\n"
            "Reshape_1 [2,2,3] = Reshape(MatMul_0.split, target.local)");
  EXPECT_EQ(*AsInt64(*model.graph.value(*model.graph.FindValue("target.local")).constant),
            (std::vector<int64_t>{2, 2, 3}));
}

TEST(Rewrite, ShapeOfACutValueIsScaledBack) {
  GraphBuilder b;
  const ValueId h = b.Op("MatMul", {b.Input("x", {2, 4}), b.Weight("w", {4, 12})}, {2, 12});
  const ValueId shape = b.Op("Shape", {h}, {2});
  b.SetType(shape, DType::kInt64);
  b.Output(shape);
  b.Output(h);
  const RankModel model = Plan(b.graph(), 2).Row(0, {kR, State::Split(1)}).Output(1, State::Split(1)).Write();
  EXPECT_EQ(Text(model),
            "MatMul_0 [2,6] = MatMul(x, w.split)\n"
            "Shape_1.local [2] = Shape(MatMul_0)\n"
            "Shape_1 [2] = Mul(Shape_1.local, Shape_1.ranks)");
}

TEST(Rewrite, NodesThatNobodyReadsAreLeftOut) {
  GraphBuilder b;
  const ValueId x = b.Input("x", {2, 4});
  b.Op("Neg", {x}, {2, 4});
  b.Output(b.Op("Relu", {x}, {2, 4}));
  EXPECT_EQ(Text(Plan(b.graph(), 2).Write()), "Relu_1 [2,4] = Relu(x)");
}

}  // namespace
}  // namespace tessera::shard
