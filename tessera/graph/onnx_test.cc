// Reading and writing: what is decoded, what is kept.
#include "tessera/graph/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tessera/graph/test_models.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::MakeNode;
using testing::MakeTensor;
using testing::MakeValue;
using testing::Parse;
using testing::SmallModel;
using testing::ValueOf;
using testing::Written;

Graph Read(const pb::ModelProto& model) {
  auto graph = Parse(model);
  EXPECT_TRUE(graph) << (graph ? "" : graph.error().message);
  return graph ? *std::move(graph) : Graph{};
}

TEST(ReadOnnx, DecodesNodesValuesAndSymbols) {
  const Graph graph = Read(SmallModel());
  EXPECT_EQ(graph.opset(), 17);
  ASSERT_EQ(graph.nodes().size(), 2U);
  EXPECT_EQ(graph.nodes()[0].op_type, "MatMul");
  EXPECT_EQ(graph.inputs(), std::vector{*graph.FindValue("x")});
  EXPECT_THAT(ValueOf(graph, "x").shape, ElementsAre(kDynamic, 4));
  EXPECT_THAT(ValueOf(graph, "x").symbols, ElementsAre(0, -1));
  EXPECT_EQ(ValueOf(graph, "y").symbols, ValueOf(graph, "x").symbols);
  EXPECT_EQ(graph.symbol_names, SymbolNames{"batch"});
  EXPECT_FALSE(ValueOf(graph, "h").has_shape);
  EXPECT_EQ(ValueOf(graph, "h").producer, NodeId{0});
}

TEST(ReadOnnx, ConstantNodesBecomeInitializers) {
  auto model = SmallModel();
  auto& node = *model.mutable_graph()->add_node();
  node = MakeNode("Constant", {}, {"c"});
  node.set_doc_string("seven");
  *node.add_attribute() = testing::IntAttribute("value_int", 7);
  *model.mutable_graph()->add_output() = MakeValue("c", {}, pb::TensorProto::INT64);
  const Graph graph = Read(model);
  EXPECT_EQ(graph.nodes().size(), 2U);
  const Value& c = ValueOf(graph, "c");
  ASSERT_NE(c.constant, nullptr);
  EXPECT_EQ(AsInt64(*c.constant), std::vector<int64_t>{7});
  EXPECT_EQ(Written(graph).graph().initializer(1).doc_string(), "seven");
}

TEST(ReadOnnx, SparseConstantStaysANode) {
  auto model = SmallModel();
  auto& node = *model.mutable_graph()->add_node();
  node = MakeNode("Constant", {}, {"c"});
  auto& attribute = *node.add_attribute();
  attribute.set_name("sparse_value");
  attribute.set_type(pb::AttributeProto::SPARSE_TENSOR);
  attribute.mutable_sparse_tensor()->add_dims(5);
  EXPECT_EQ(Read(model).nodes().size(), 3U);
}

// Typed data of each kind becomes the bytes that raw_data would hold.
TEST(ReadOnnx, TypedDataBecomesBytes) {
  auto model = SmallModel();
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  const auto bytes_of = [&](int32_t type, std::initializer_list<int32_t> values) {
    tensor.Clear();
    tensor.set_name("w");
    tensor.set_data_type(type);
    for (int32_t value : values) tensor.add_int32_data(value);
    tensor.add_dims(static_cast<int64_t>(values.size()));
    const Graph graph = Read(model);
    return std::string(AsText(ValueOf(graph, "w").constant->bytes));
  };
  EXPECT_EQ(bytes_of(pb::TensorProto::FLOAT16, {0x3c00}), std::string("\x00\x3c", 2));
  EXPECT_EQ(bytes_of(pb::TensorProto::INT8, {-2, 3}), std::string("\xfe\x03", 2));
  EXPECT_EQ(bytes_of(pb::TensorProto::BOOL, {1, 0}), std::string("\x01\x00", 2));
  EXPECT_EQ(bytes_of(pb::TensorProto::INT16, {-2}), std::string("\xfe\xff", 2));
  EXPECT_EQ(bytes_of(pb::TensorProto::INT32, {-2}), std::string("\xfe\xff\xff\xff", 4));
}

TEST(ReadOnnx, FourBitDataIsPackedAndUnpacks) {
  auto model = SmallModel();
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.Clear();
  tensor.set_name("w");
  tensor.set_data_type(pb::TensorProto::INT4);
  tensor.add_dims(3);
  tensor.add_int32_data(0x2f);  // -1, then 2
  tensor.add_int32_data(0x08);  // -8
  const Graph graph = Read(model);
  EXPECT_EQ(AsInt64(*ValueOf(graph, "w").constant), (std::vector<int64_t>{-1, 2, -8}));
}

TEST(ReadOnnx, StringsKeepTheirProto) {
  auto model = SmallModel();
  auto& tensor = *model.mutable_graph()->mutable_initializer(0);
  tensor.Clear();
  tensor.set_name("w");
  tensor.set_data_type(pb::TensorProto::STRING);
  tensor.add_dims(1);
  tensor.add_string_data("text");
  const Graph graph = Read(model);
  EXPECT_EQ(ValueOf(graph, "w").type, DType::kString);
  EXPECT_EQ(Written(graph).graph().initializer(0).string_data(0), "text");
}

TEST(ReadOnnx, InitializerThatIsAlsoAnInputStaysOverridable) {
  auto model = SmallModel();
  *model.mutable_graph()->add_input() = MakeValue("w", {"4", "3"});
  const Graph graph = Read(model);
  EXPECT_EQ(graph.inputs().size(), 1U);
  EXPECT_TRUE(ValueOf(graph, "w").overridable);
  EXPECT_EQ(Written(graph).graph().input(1).name(), "w");
}

TEST(ReadOnnx, SubgraphsTellWhatTheyCapture) {
  auto model = SmallModel();
  pb::GraphProto inner;
  *inner.add_node() = MakeNode("Add", {"h", "local"}, {"sum"});
  *inner.add_output() = MakeValue("sum", {"1"});
  pb::GraphProto body;
  *body.add_node() = MakeNode("Relu", {"x"}, {"local"});
  auto nested = MakeNode("If", {"local"}, {"out"});
  *nested.add_attribute() = testing::GraphAttribute("then_branch", inner);
  *body.add_node() = nested;
  *body.add_output() = MakeValue("out", {"1"});
  auto node = MakeNode("If", {"x"}, {"z"});
  *node.add_attribute() = testing::GraphAttribute("then_branch", body);
  *model.mutable_graph()->add_node() = node;

  Graph graph = Read(model);
  Attribute& attribute = graph.node(NodeId{2}).attributes[0];
  EXPECT_THAT(attribute.captured, ElementsAre(*graph.FindValue("x"), *graph.FindValue("h")));
  EXPECT_EQ(graph.Consumers()[static_cast<size_t>(graph.FindValue("h")->value())],
            (std::vector{NodeId{1}, NodeId{2}}));
  EXPECT_EQ(graph.value(graph.AddValue("local", DType::kFloat32, {})).name, "local_1")
      << "taken by the subgraph";

  attribute.captured[1] = *graph.FindValue("w");  // the writer renames it inside
  const auto written = Written(graph).graph().node(2).attribute(0).g();
  EXPECT_EQ(written.node(1).attribute(0).g().node(0).input(0), "w");
  EXPECT_EQ(written.node(1).attribute(0).g().node(0).input(1), "local");
}

TEST(WriteOnnx, KeepsWhatItDoesNotKnow) {
  auto model = SmallModel();
  model.set_doc_string("about the model");
  auto& configuration = *model.add_configuration();
  configuration.set_name("two devices");
  configuration.set_num_devices(2);
  model.add_functions()->set_name("f");
  model.add_metadata_props()->set_key("k");
  auto& graph = *model.mutable_graph();
  graph.set_doc_string("about the graph");
  graph.add_quantization_annotation()->set_tensor_name("w");
  auto& node = *graph.mutable_node(0);
  node.set_domain("com.example");
  node.set_op_type("Unheard");
  node.set_overload("o");
  node.add_device_configurations()->set_configuration_id("two devices");
  node.add_metadata_props()->set_key("n");
  auto& attribute = *node.add_attribute();
  attribute = testing::IntAttribute("axis", 1);
  attribute.set_doc_string("about the attribute");
  graph.mutable_input(0)->set_doc_string("about x");
  graph.mutable_input(0)
      ->mutable_type()
      ->mutable_tensor_type()
      ->mutable_shape()
      ->mutable_dim(0)
      ->set_denotation("N");
  graph.mutable_initializer(0)->set_doc_string("about w");
  EXPECT_EQ(Written(Read(model)).SerializeAsString(),
            Written(Read(Written(Read(model)))).SerializeAsString());
  auto written = Written(Read(model));
  // The order of fields is ours; the content is the model's.
  EXPECT_EQ(written.graph().node(0).SerializeAsString(), node.SerializeAsString());
  EXPECT_EQ(written.graph().input(0).SerializeAsString(), graph.input(0).SerializeAsString());
  EXPECT_EQ(written.graph().initializer(0).SerializeAsString(), graph.initializer(0).SerializeAsString());
  EXPECT_EQ(written.SerializeAsString(), model.SerializeAsString());
}

TEST(WriteOnnx, KeepsFieldsOfANewerSchema) {
  auto model = SmallModel();
  std::string text = model.SerializeAsString();
  const std::string unknown = WireHeader(999, 3) + "abc";
  text += unknown;
  const auto graph = testing::ParseText(text);
  ASSERT_TRUE(graph);
  EXPECT_THAT(*SerializeOnnx(*graph), HasSubstr(unknown));
}

TEST(WriteOnnx, GraphStandsBeforeRepeatedFields) {
  auto model = SmallModel();
  model.clear_producer_name();
  model.add_opset_import()->set_domain("tessera");
  const auto text = SerializeOnnx(Read(model));
  ASSERT_TRUE(text);
  EXPECT_EQ(text->at(0), 0x08);  // ir_version, one byte long
  EXPECT_EQ(text->at(2), 0x3a);  // graph
}

TEST(WriteOnnx, LeavesOutInitializersThatNobodyReads) {
  auto model = SmallModel();
  *model.mutable_graph()->add_initializer() = MakeTensor("unread", {1});
  EXPECT_EQ(Written(Read(model)).graph().initializer_size(), 1);
}

TEST(WriteOnnx, ListsInitializersAsInputsBeforeIrVersion4) {
  auto model = SmallModel();
  model.set_ir_version(3);
  *model.mutable_graph()->add_input() = MakeValue("w", {"4", "3"});
  EXPECT_EQ(Written(Read(model)).graph().input_size(), 2);
}

TEST(WriteOnnx, RefusesNodesOutOfOrder) {
  Graph graph = Read(SmallModel());
  std::swap(graph.node(NodeId{0}), graph.node(NodeId{1}));
  const auto text = SerializeOnnx(graph);
  ASSERT_FALSE(text);
  EXPECT_THAT(text.error().message,
              HasSubstr("node 'Relu_node' (Relu) reads 'h', which nothing before it defines"));
}

TEST(WriteOnnx, RefusesModelsOver2GB) {
  Graph graph = Read(SmallModel());
  const size_t half = size_t{1} << 30;
  // Fresh zero pages: never touched, so they cost no memory.
  const std::shared_ptr<std::byte> zeros(static_cast<std::byte*>(std::calloc(1, half)), std::free);
  for (const char* name : {"a", "b"}) {
    Constant constant{DType::kUInt8, {static_cast<int64_t>(half)}, {zeros.get(), half}, zeros, {}, false, {}};
    graph.outputs().push_back(graph.AddConstant(name, std::move(constant)));
  }
  const auto text = SerializeOnnx(graph);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Code::kInvalidArgument);
  EXPECT_THAT(text.error().message, HasSubstr("at most 2 GB"));
}

// Linear in the nodes: anything quadratic would not end within the test's time.
TEST(RoundTrip, ReadsAndWritesAHundredThousandNodes) {
  auto model = SmallModel();
  auto& graph = *model.mutable_graph();
  std::string last = "h";
  for (int i = 0; i < 100'000; ++i) {
    const std::string next = "value" + std::to_string(i);
    *graph.add_node() = MakeNode("Relu", {last}, {next});
    last = next;
  }
  Graph read = Read(model);
  EXPECT_EQ(Written(read).graph().node_size(), 100'002);
  for (int i = 0; i < 100'000; ++i) read.AddValue("x", DType::kFloat32, {});
  EXPECT_EQ(read.value(read.AddValue("x", DType::kFloat32, {})).name, "x_100001");
}

}  // namespace
}  // namespace tessera::graph
