#include "tessera/shard/tables.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;

// A table of 4 x 4 floats beside a matrix of 4 x `columns`.
GraphBuilder TableAndMatrix(int64_t columns) {
  GraphBuilder b;
  const auto found =
      b.Op("Gather", {b.Weight("table", {4, 4}), b.Input("ids", {2}, {}, DType::kInt64)}, {2, 4});
  b.Output(b.Op("MatMul", {found, b.Weight("w", {4, columns})}, {2, columns}));
  return b;
}

std::vector<int> WeightsOfTheGather(GraphBuilder& b, const TablePolicy& policy) {
  const graph::Graph& graph = b.graph();
  auto rule = RuleFor(OpView(graph, graph.nodes()[0]));
  ApplyTablePolicy(policy, graph, graph.nodes()[0], *rule);
  return rule->weights;
}

TEST(TablePolicy, ATableOfMoreThanATenthIsAWeight) {
  GraphBuilder large = TableAndMatrix(35);  // 16 of 156
  EXPECT_EQ(WeightsOfTheGather(large, LargeTablesAreWeights(large.graph())), std::vector<int>{0});
}

TEST(TablePolicy, ATenthIsNoWeight) {
  GraphBuilder small = TableAndMatrix(36);  // 16 of 160
  EXPECT_TRUE(WeightsOfTheGather(small, LargeTablesAreWeights(small.graph())).empty());
}

TEST(TablePolicy, ATableThatIsDecodedCountsAsItIsStored) {
  GraphBuilder b;
  const auto table =
      b.Op("Mul", {b.Op("Cast", {b.Weight("stored", {4, 4})}, {4, 4}), b.Weight("scale", {4, 1})}, {4, 4});
  b.Output(b.Op("Gather", {table, b.Input("ids", {2}, {}, DType::kInt64)}, {2, 4}));
  const graph::Node& gather = b.graph().nodes()[2];
  EXPECT_EQ(StoredBytes(b.graph(), table), (16 + 4) * static_cast<int64_t>(sizeof(float)));
  auto rule = RuleFor(OpView(b.graph(), gather));
  ApplyTablePolicy(LargeTablesAreWeights(b.graph()), b.graph(), gather, *rule);
  EXPECT_EQ(rule->weights, std::vector<int>{0});
}

TEST(TablePolicy, AWholeTableHasNoRowThatCutsIt) {
  GraphBuilder b = TableAndMatrix(4);
  const OpView op(b.graph(), b.graph().nodes()[0]);
  auto rule = RuleFor(op);
  ApplyTablePolicy({true}, b.graph(), b.graph().nodes()[0], *rule);
  const Rows rows(op, rule, Division{2, {}});
  for (const Row& row : testing::AllRows(rows, op)) EXPECT_FALSE(row.inputs[0]->split());
}

}  // namespace
}  // namespace tessera::shard
