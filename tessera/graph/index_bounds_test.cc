#include "tessera/graph/index_bounds.h"

#include <gtest/gtest.h>

namespace tessera::graph {
namespace {

class IndexBoundsOf : public testing::Test {
 protected:
  ValueId Input(const char* name, DType type) {
    const ValueId id = graph_.AddValue(name, type, {kDynamic, kDynamic});
    graph_.inputs().push_back(id);
    return id;
  }
  ValueId Table(int64_t rows, int64_t columns) {
    const auto bytes = static_cast<size_t>(rows * columns) * 4;
    return graph_.AddConstant(
        "table", Constant::OfBytes(DType::kFloat32, {rows, columns}, std::vector<std::byte>(bytes)));
  }
  ValueId Apply(const char* op, std::vector<ValueId> inputs, int64_t axis = 0) {
    Node node;
    node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {graph_.AddValue("v", DType::kUndefined, {})};
    if (axis != 0) node.Set("axis", axis);
    const ValueId output = node.outputs.front();
    graph_.AddNode(std::move(node));
    return output;
  }
  Graph graph_;
};

TEST_F(IndexBoundsOf, AnIndexIsBoundByTheShortestTableItReaches) {
  const ValueId ids = Input("ids", DType::kInt64);
  Apply("Gather", {Table(30, 4), ids});
  Apply("Gather", {Table(20, 4), Apply("Unsqueeze", {Apply("Cast", {ids})})});
  EXPECT_EQ(IndexBounds(graph_), (std::map<std::string, int64_t>{{"ids", 20}}));
}

TEST_F(IndexBoundsOf, AOneHotCodeBoundsLikeATable) {
  const ValueId codes = graph_.AddConstant("codes", Constant::OfInt64({0, 1, 2, 3, 4}, {1, 5}));
  Apply("Equal", {Apply("Expand", {Input("bytes", DType::kInt64)}), codes});
  Apply("Equal", {Input("mode", DType::kInt64), graph_.AddConstant("on", Constant::OfInt64({1}, {1}))});
  EXPECT_EQ(IndexBounds(graph_), (std::map<std::string, int64_t>{{"bytes", 5}}));
}

TEST_F(IndexBoundsOf, TheTablesAxisCountsFromTheEndWhenNegative) {
  Apply("Gather", {Table(30, 4), Input("ids", DType::kInt32)}, -1);
  EXPECT_EQ(IndexBounds(graph_), (std::map<std::string, int64_t>{{"ids", 4}}));
}

TEST_F(IndexBoundsOf, MasksAndFloatsHaveNoBound) {
  Apply("Sub", {Input("mask", DType::kInt64), Input("offset", DType::kInt64)});
  Apply("Gather", {Input("table", DType::kFloat32), Table(3, 1)});
  EXPECT_TRUE(IndexBounds(graph_).empty());
}

TEST_F(IndexBoundsOf, AnInputThatIsGatheredFromIsNoIndex) {
  Apply("Gather", {Input("rows", DType::kInt64), Table(3, 1)});
  EXPECT_TRUE(IndexBounds(graph_).empty());
}

}  // namespace
}  // namespace tessera::graph
