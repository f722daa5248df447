#include "tessera/graph/branches.h"

#include <set>
#include <span>

#include <gtest/gtest.h>

#include "tessera/graph/onnx.h"
#include "tessera/graph/test_models.h"

namespace tessera::graph {
namespace {

using testing::GraphAttribute;
using testing::MakeNode;
using testing::MakeTensor;
using testing::MakeValue;

pb::TensorProto Ints(const std::string& name, std::initializer_list<int64_t> values) {
  pb::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(pb::TensorProto::INT64);
  tensor.add_dims(static_cast<int64_t>(values.size()));
  for (const int64_t value : values) tensor.add_int64_data(value);
  return tensor;
}

// A branch that gives what one node makes of values from outside, under a name that every branch uses.
pb::GraphProto Branch(const std::string& op, std::initializer_list<std::string> inputs) {
  pb::GraphProto branch;
  branch.set_name(op);
  *branch.add_node() = MakeNode(op, inputs, {"t"});
  branch.add_output()->set_name("t");
  return branch;
}

pb::NodeProto If(const std::string& condition, const pb::GraphProto& then_branch,
                 const pb::GraphProto& else_branch, const std::string& output) {
  pb::NodeProto node = MakeNode("If", {condition}, {output});
  node.set_name("if_" + output);
  *node.add_attribute() = GraphAttribute("then_branch", then_branch);
  *node.add_attribute() = GraphAttribute("else_branch", else_branch);
  return node;
}

// How often each op stands in the graph that is read with branches settled.
std::multiset<std::string> Settled(const pb::GraphProto& graph) {
  pb::ModelProto model = testing::SmallModel();
  *model.mutable_graph() = graph;
  const std::string bytes = model.SerializeAsString();
  const auto read =
      ParseOnnx(std::as_bytes(std::span(bytes)), nullptr, "/nowhere", "test", {.settle_branches = true});
  std::multiset<std::string> ops;
  EXPECT_TRUE(read) << read.error().message;
  if (!read) return ops;
  for (const Node& node : read->nodes()) ops.insert(node.op_type);
  return ops;
}

// x [batch, 4]: `size` is its second dimension as a shape chain gives it.
pb::GraphProto WithSize() {
  pb::GraphProto graph;
  graph.set_name("g");
  *graph.add_input() = MakeValue("x", {"batch", "4"});
  *graph.add_initializer() = Ints("one", {1});
  *graph.add_initializer() = Ints("four", {4});
  *graph.add_node() = MakeNode("Shape", {"x"}, {"shape"});
  *graph.add_node() = MakeNode("Gather", {"shape", "one"}, {"size"});
  return graph;
}

TEST(SettleBranches, TakesTheBranchThatASizeDecides) {
  pb::GraphProto graph = WithSize();
  *graph.add_node() = MakeNode("Equal", {"size", "four"}, {"is_four"});
  *graph.add_node() = If("is_four", Branch("Relu", {"x"}), Branch("Tanh", {"x"}), "y");
  *graph.add_node() = MakeNode("Equal", {"size", "one"}, {"is_one"});
  *graph.add_node() = If("is_one", Branch("Relu", {"y"}), Branch("Tanh", {"y"}), "z");
  *graph.add_output() = MakeValue("z", {"batch", "4"});
  const auto ops = Settled(graph);  // both branches call their value "t"
  EXPECT_EQ(ops.count("If"), 0U);
  EXPECT_EQ(ops.count("Relu"), 1U);
  EXPECT_EQ(ops.count("Tanh"), 1U);
}

TEST(SettleBranches, LeavesToTheRunWhatDependsOnIt) {
  pb::GraphProto graph = WithSize();
  *graph.add_input() = MakeValue("flag", {"1"}, pb::TensorProto::BOOL);
  *graph.add_node() = If("flag", Branch("Relu", {"x"}), Branch("Tanh", {"x"}), "y");
  *graph.add_output() = MakeValue("y", {"batch", "4"});
  EXPECT_EQ(Settled(graph).count("If"), 1U);
}

TEST(SettleBranches, TakesTheBranchWhoseRankTheNextOpCanRead) {
  pb::GraphProto graph;
  graph.set_name("g");
  *graph.add_input() = MakeValue("x", {"any", "batch", "4", "time"});
  *graph.add_input() = MakeValue("flag", {"1"}, pb::TensorProto::BOOL);
  *graph.add_initializer() = Ints("zero", {0});
  *graph.add_initializer() = MakeTensor("w", {2, 4, 1});
  *graph.add_node() = If("flag", Branch("Squeeze", {"x", "zero"}), Branch("Identity", {"x"}), "h");
  *graph.add_node() = MakeNode("Conv", {"h", "w"}, {"y"});
  *graph.add_output() = MakeValue("y", {"batch", "2", "time"});
  const auto ops = Settled(graph);
  EXPECT_EQ(ops.count("If"), 0U);
  EXPECT_EQ(ops.count("Squeeze"), 1U);
}

TEST(SettleBranches, SettlesIfsInsideBranchesThatStay) {
  pb::GraphProto graph = WithSize();
  *graph.add_input() = MakeValue("flag", {"1"}, pb::TensorProto::BOOL);
  *graph.add_node() = MakeNode("Equal", {"size", "four"}, {"is_four"});
  pb::GraphProto outer;
  outer.set_name("outer");
  *outer.add_node() = If("is_four", Branch("Relu", {"x"}), Branch("Tanh", {"x"}), "u");
  outer.add_output()->set_name("u");
  *graph.add_node() = If("flag", outer, Branch("Sigmoid", {"x"}), "y");
  *graph.add_output() = MakeValue("y", {"batch", "4"});
  SettleBranches(graph, {{"x", Fact::Of({kDynamic, 4})}});
  const auto& inner = graph.node(graph.node_size() - 1).attribute(0).g();
  EXPECT_EQ(inner.node(0).op_type(), "Relu");
  EXPECT_EQ(graph.node(graph.node_size() - 1).op_type(), "If");
}

TEST(SettleBranches, LeavesAModelThatCanOnlyFailAsItWas) {
  pb::GraphProto graph = WithSize();
  *graph.add_initializer() = MakeTensor("w", {2, 4, 1});
  *graph.add_node() = MakeNode("Equal", {"size", "four"}, {"is_four"});
  *graph.add_node() = If("is_four", Branch("Relu", {"x"}), Branch("Tanh", {"x"}), "y");
  *graph.add_node() = MakeNode("Conv", {"y", "w"}, {"z"});  // of a matrix
  *graph.add_output() = MakeValue("z", {"batch", "4"});
  EXPECT_EQ(Settled(graph).count("If"), 1U);
}

}  // namespace
}  // namespace tessera::graph
