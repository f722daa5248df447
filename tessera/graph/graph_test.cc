#include "tessera/graph/graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::graph {
namespace {

using ::testing::ElementsAre;

TEST(Graph, TakenNamesGetASuffix) {
  Graph graph;
  graph.ReserveName("inner");
  EXPECT_EQ(graph.value(graph.AddValue("x", DType::kFloat32, {2})).name, "x");
  EXPECT_EQ(graph.value(graph.AddValue("x", DType::kFloat32, {2})).name, "x_1");
  EXPECT_EQ(graph.value(graph.AddValue("x", DType::kFloat32, {2})).name, "x_2");
  EXPECT_EQ(graph.value(graph.AddValue("inner", DType::kFloat32, {2})).name, "inner_1");
  EXPECT_FALSE(graph.FindValue("inner"));
}

TEST(Graph, AddNodeMakesItTheProducer) {
  Graph graph;
  const ValueId x = graph.AddValue("x", DType::kFloat32, {2});
  const ValueId y = graph.AddValue("y", DType::kFloat32, {2});
  Node node;
  node.op_type = "Add";
  node.inputs = {x, x};
  node.outputs = {y, kNoValue};
  const NodeId id = graph.AddNode(node);
  EXPECT_EQ(graph.value(y).producer, id);
  EXPECT_EQ(graph.value(x).producer, kNoNode);
  EXPECT_THAT(graph.Consumers()[0], ElementsAre(id, id));
}

TEST(Node, AttributesAreFoundByNameAndKind) {
  Node node;
  node.Set("axis", int64_t{3});
  node.Set("perm", std::vector<int64_t>{1, 0});
  node.Set("mode", "linear");
  node.Set("axis", int64_t{4});
  EXPECT_EQ(node.Int("axis", 0), 4);
  EXPECT_EQ(node.Int("mode", 9), 9) << "of another kind";
  EXPECT_THAT(node.Ints("perm"), ElementsAre(1, 0));
  EXPECT_EQ(node.String("mode", ""), "linear");
  EXPECT_EQ(node.Find("none"), nullptr);
  EXPECT_EQ(node.attributes.size(), 3U);
}

TEST(Constant, IntegersOfEveryWidthAreWidened) {
  const auto of = [](DType type, std::vector<std::byte> bytes, Shape shape) {
    return AsInt64(Constant::OfBytes(type, std::move(shape), std::move(bytes)));
  };
  const std::byte ff{0xff};
  EXPECT_EQ(of(DType::kInt8, {ff}, {1}), std::vector<int64_t>{-1});
  EXPECT_EQ(of(DType::kUInt8, {ff}, {1}), std::vector<int64_t>{255});
  EXPECT_EQ(of(DType::kInt32, {ff, ff, ff, ff}, {}), std::vector<int64_t>{-1});
  EXPECT_EQ(of(DType::kBool, {std::byte{1}}, {1}), std::vector<int64_t>{1});
  EXPECT_EQ(of(DType::kUInt2, {std::byte{0b11100100}}, {4}), (std::vector<int64_t>{0, 1, 2, 3}));
  EXPECT_EQ(of(DType::kFloat32, {ff, ff, ff, ff}, {}), std::nullopt);
  EXPECT_EQ(AsInt64(Constant::OfInt64({5, -6}, {2})), (std::vector<int64_t>{5, -6}));
}

}  // namespace
}  // namespace tessera::graph
