#include "tessera/graph/openvino/openvino_shape_oracle.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/graph/test_models.h"

namespace tessera::graph {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::MakeTensor;
using testing::MakeValue;
using testing::SmallModel;
using testing::ValueOf;

Result<Graph> Infer(const pb::ModelProto& model) {
  TRY_ASSIGN(Graph graph, testing::Parse(model));
  TRY(MakeOpenVinoShapeOracle()->Infer(graph));
  return graph;
}

Graph Inferred(const pb::ModelProto& model) {
  auto graph = Infer(model);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().message);
  return graph ? *std::move(graph) : Graph{};
}

// A node of a domain that nobody knows.
pb::NodeProto Unheard(std::initializer_list<std::string> inputs, std::initializer_list<std::string> outputs) {
  auto node = MakeNode("Unheard", inputs, outputs);
  node.set_domain("com.example");
  return node;
}

void Import(const std::string& domain, pb::ModelProto& model) {
  auto& import = *model.add_opset_import();
  import.set_domain(domain);
  import.set_version(1);
}

pb::ModelProto CollectiveModel(const std::string& operation, int64_t ranks) {
  auto model = SmallModel();
  Import("com.example.collectives", model);
  auto node = MakeNode("DistCollective", {"h"}, {"gathered"});
  node.set_domain("com.example.collectives");
  auto& attribute = *node.add_attribute();
  attribute.set_name("collective_operation");
  attribute.set_type(pb::AttributeProto::STRING);
  attribute.set_s(operation);
  *node.add_attribute() = testing::IntAttribute("nb_rank", ranks);
  *model.mutable_graph()->add_node() = node;
  return model;
}

TEST(OpenVinoShapeOracle, FillsTypeShapeAndSymbols) {
  const Graph graph = Inferred(SmallModel());
  const Value& h = ValueOf(graph, "h");
  EXPECT_EQ(h.type, DType::kFloat32);
  ASSERT_TRUE(h.has_shape);
  EXPECT_THAT(h.shape, ElementsAre(kDynamic, 3));
  EXPECT_EQ(h.symbols, ValueOf(graph, "x").symbols);
  EXPECT_EQ(graph.symbol_names, SymbolNames{"batch"});
}

TEST(OpenVinoShapeOracle, FindsValuesThatNoOutputDependsOn) {
  auto model = SmallModel();
  *model.mutable_graph()->add_node() = MakeNode("Neg", {"h"}, {"dead"});
  EXPECT_TRUE(ValueOf(Inferred(model), "dead").has_shape);
}

TEST(OpenVinoShapeOracle, InputsOfEqualNameShareASymbolOthersDoNot) {
  auto model = SmallModel();
  *model.mutable_graph()->add_input() = MakeValue("same", {"batch", "free"});
  const Graph graph = Inferred(model);
  EXPECT_EQ(ValueOf(graph, "same").symbols[0], ValueOf(graph, "x").symbols[0]);
  EXPECT_NE(ValueOf(graph, "same").symbols[1], ValueOf(graph, "x").symbols[0]);
}

TEST(OpenVinoShapeOracle, UnknownOpLeavesItsOutputsUnknown) {
  auto model = SmallModel();
  Import("com.example", model);
  *model.mutable_graph()->add_node() = Unheard({"h"}, {"u"});
  *model.mutable_graph()->add_node() = MakeNode("Relu", {"u"}, {"v"});
  const Graph graph = Inferred(model);
  EXPECT_FALSE(ValueOf(graph, "u").has_shape);
  EXPECT_FALSE(ValueOf(graph, "v").has_shape);
  EXPECT_TRUE(ValueOf(graph, "y").has_shape);
}

TEST(OpenVinoShapeOracle, GoesOnBehindAnUnknownOpWhoseShapeIsDeclared) {
  auto model = SmallModel();
  Import("com.example", model);
  auto& inner = *model.mutable_graph();
  *inner.add_node() = Unheard({"h"}, {"u"});
  *inner.add_value_info() = MakeValue("u", {"batch", "5", "free"});
  auto transpose = MakeNode("Transpose", {"u"}, {"v"});
  *inner.add_node() = transpose;
  const Graph graph = Inferred(model);
  EXPECT_THAT(ValueOf(graph, "u").shape, ElementsAre(kDynamic, 5, kDynamic));
  EXPECT_THAT(ValueOf(graph, "v").shape, ElementsAre(kDynamic, 5, kDynamic));
  EXPECT_EQ(ValueOf(graph, "v").symbols[2], ValueOf(graph, "x").symbols[0]);
}

TEST(OpenVinoShapeOracle, ContradictionIsAnErrorThatNamesTheNode) {
  auto model = SmallModel();
  *model.mutable_graph()->mutable_initializer(0) = MakeTensor("w", {5, 3});
  const auto graph = Infer(model);
  ASSERT_FALSE(graph);
  EXPECT_EQ(graph.error().code, Code::kInvalidArgument);
  EXPECT_THAT(graph.error().message, AllOf(HasSubstr("node 'MatMul_node' (MatMul)"), HasSubstr("dimension")));
  EXPECT_EQ(graph.error().message.find('\n'), std::string::npos);
}

TEST(OpenVinoShapeOracle, GoesOnWhenOnlyOneOutputOfAnUnknownOpIsDeclared) {
  auto model = SmallModel();
  Import("com.example", model);
  auto& inner = *model.mutable_graph();
  *inner.add_node() = Unheard({"h"}, {"u", "other"});
  *inner.add_value_info() = MakeValue("u", {"batch", "5"});
  *inner.add_node() = MakeNode("Add", {"u", "other"}, {"sum"});
  *inner.add_node() = MakeNode("Relu", {"u"}, {"v"});
  const Graph graph = Inferred(model);
  EXPECT_THAT(ValueOf(graph, "v").shape, ElementsAre(kDynamic, 5));
  EXPECT_FALSE(ValueOf(graph, "other").has_shape);
}

// OpenVINO refuses to read a model with such a type anywhere.
TEST(OpenVinoShapeOracle, TypesThatOpenVinoCannotReadStayAsDeclared) {
  auto model = SmallModel();
  auto& inner = *model.mutable_graph();
  *inner.add_input() = MakeValue("packed", {"batch", "8"}, pb::TensorProto::INT2);
  auto table = MakeTensor("table", {4});
  table.set_data_type(pb::TensorProto::FLOAT8E4M3FNUZ);
  table.set_raw_data(std::string(4, '\0'));
  *inner.add_initializer() = table;
  *inner.add_node() = MakeNode("Identity", {"packed"}, {"same"});
  *inner.add_node() = MakeNode("Identity", {"table"}, {"same_table"});
  const Graph graph = Inferred(model);
  EXPECT_EQ(ValueOf(graph, "packed").type, DType::kInt2);
  EXPECT_THAT(ValueOf(graph, "packed").shape, ElementsAre(kDynamic, 8));
  EXPECT_THAT(ValueOf(graph, "h").shape, ElementsAre(kDynamic, 3));
}

TEST(OpenVinoShapeOracle, DeclaredShapeIsKeptWhereInferenceKnowsLess) {
  auto model = SmallModel();
  auto& inner = *model.mutable_graph();
  *inner.add_node() = MakeNode("NonZero", {"h"}, {"places"});
  *inner.add_value_info() = MakeValue("places", {"2", "count"}, pb::TensorProto::INT64);
  const Graph graph = Inferred(model);
  const Value& places = ValueOf(graph, "places");
  EXPECT_EQ(places.type, DType::kInt64);
  EXPECT_EQ(places.shape[0], 2);
  EXPECT_GE(places.symbols[1], 0);
}

// Larger than what is given to OpenVINO as a constant: it must not matter to shapes.
TEST(OpenVinoShapeOracle, LargeWeightsNeedNotBeSeen) {
  auto model = SmallModel();
  *model.mutable_graph()->mutable_input(0) = MakeValue("x", {"batch", "400"});
  *model.mutable_graph()->mutable_initializer(0) = MakeTensor("w", {400, 300});
  model.mutable_graph()->mutable_output(0)->clear_type();
  EXPECT_THAT(ValueOf(Inferred(model), "y").shape, ElementsAre(kDynamic, 300));
}

TEST(OpenVinoShapeOracle, LargeConstantThatShapesDependOnIsSeen) {
  auto model = SmallModel();
  auto& inner = *model.mutable_graph();
  auto scales = MakeTensor("scales", {4});
  const std::vector<float> values{1, 1, 2, 2};
  scales.set_raw_data(values.data(), values.size() * sizeof(float));
  *inner.add_initializer() = scales;
  *inner.add_input() = MakeValue("image", {"batch", "3", "8", "8"});
  *inner.add_node() = MakeNode("Resize", {"image", "", "scales"}, {"larger"});
  EXPECT_THAT(ValueOf(Inferred(model), "larger").shape, ElementsAre(kDynamic, 3, 16, 16));
}

TEST(OpenVinoShapeOracle, CollectivesChangeAxisZero) {
  const auto shape_of = [](const std::string& operation) {
    auto model = CollectiveModel(operation, 2);
    *model.mutable_graph()->mutable_input(0) = MakeValue("x", {"6", "4"});
    *model.mutable_graph()->mutable_output(0) = MakeValue("y", {"6", "3"});
    return ValueOf(Inferred(model), "gathered").shape;
  };
  EXPECT_THAT(shape_of("all_gather"), ElementsAre(12, 3));
  EXPECT_THAT(shape_of("gather"), ElementsAre(12, 3));
  EXPECT_THAT(shape_of("reduce_scatter"), ElementsAre(3, 3));
  EXPECT_THAT(shape_of("scatter"), ElementsAre(3, 3));
  for (const char* operation : {"all_reduce", "broadcast", "reduce", "all_to_all"}) {
    EXPECT_THAT(shape_of(operation), ElementsAre(6, 3)) << operation;
  }
}

TEST(OpenVinoShapeOracle, AllReduceKeepsTheSymbolsOfADynamicShape) {
  const Graph graph = Inferred(CollectiveModel("all_reduce", 4));
  EXPECT_EQ(ValueOf(graph, "gathered").symbols, ValueOf(graph, "x").symbols);
}

TEST(OpenVinoShapeOracle, ScatterThatDoesNotDivideIsAnError) {
  auto model = CollectiveModel("reduce_scatter", 4);
  *model.mutable_graph()->mutable_input(0) = MakeValue("x", {"6", "4"});
  const auto graph = Infer(model);
  ASSERT_FALSE(graph);
  EXPECT_THAT(graph.error().message, HasSubstr("node 'DistCollective_node'"));
}

TEST(OpenVinoShapeOracle, InfersThroughSubgraphs) {
  auto model = SmallModel();
  auto& inner = *model.mutable_graph();
  const auto branch = [](const std::string& op) {
    pb::GraphProto body;
    body.set_name(op);
    *body.add_node() = MakeNode(op, {"h"}, {"out_" + op});
    auto& output = *body.add_output();
    output.set_name("out_" + op);
    output.mutable_type()->mutable_tensor_type()->set_elem_type(pb::TensorProto::FLOAT);
    return body;
  };
  *inner.add_input() = MakeValue("choice", {}, pb::TensorProto::BOOL);
  auto node = MakeNode("If", {"choice"}, {"chosen"});
  *node.add_attribute() = testing::GraphAttribute("then_branch", branch("Neg"));
  *node.add_attribute() = testing::GraphAttribute("else_branch", branch("Abs"));
  *inner.add_node() = node;
  const Graph graph = Inferred(model);
  ASSERT_TRUE(ValueOf(graph, "chosen").has_shape);
  EXPECT_THAT(ValueOf(graph, "chosen").shape, ElementsAre(kDynamic, 3));
}

}  // namespace
}  // namespace tessera::graph
