#include "tessera/graph/test_models.h"

#include <gtest/gtest.h>

#include "tessera/graph/onnx.h"
#include "tessera/graph/wire.h"

namespace tessera::graph::testing {

pb::NodeProto MakeNode(const std::string& op_type, std::initializer_list<std::string> inputs,
                       std::initializer_list<std::string> outputs) {
  pb::NodeProto node;
  node.set_op_type(op_type);
  node.set_name(op_type + "_node");
  for (const auto& input : inputs) node.add_input(input);
  for (const auto& output : outputs) node.add_output(output);
  return node;
}

pb::TensorProto MakeTensor(const std::string& name, std::initializer_list<int64_t> dims) {
  pb::TensorProto tensor;
  tensor.set_name(name);
  tensor.set_data_type(pb::TensorProto::FLOAT);
  size_t bytes = sizeof(float);
  for (int64_t d : dims) {
    tensor.add_dims(d);
    bytes *= static_cast<size_t>(d);
  }
  tensor.set_raw_data(std::string(bytes, '\0'));
  return tensor;
}

pb::ValueInfoProto MakeValue(const std::string& name, std::initializer_list<std::string> dims, int32_t type) {
  pb::ValueInfoProto info;
  info.set_name(name);
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(type);
  tensor.mutable_shape();
  for (const std::string& text : dims) {
    auto& dim = *tensor.mutable_shape()->add_dim();
    if (text.find_first_not_of("0123456789") == std::string::npos) {
      dim.set_dim_value(std::stoll(text));
    } else {
      dim.set_dim_param(text);
    }
  }
  return info;
}

pb::ModelProto SmallModel() {
  pb::ModelProto model;
  model.set_ir_version(10);
  model.set_producer_name("a test");
  auto& import = *model.add_opset_import();
  import.set_domain("");
  import.set_version(17);
  auto& graph = *model.mutable_graph();
  graph.set_name("small");
  *graph.add_input() = MakeValue("x", {"batch", "4"});
  *graph.add_output() = MakeValue("y", {"batch", "3"});
  *graph.add_initializer() = MakeTensor("w", {4, 3});
  *graph.add_node() = MakeNode("MatMul", {"x", "w"}, {"h"});
  *graph.add_node() = MakeNode("Relu", {"h"}, {"y"});
  return model;
}

Result<Graph> ParseText(const std::string& model, const std::string& directory) {
  auto owner = std::make_shared<const std::string>(model);
  const Bytes bytes = AsBytes(*owner);
  return ParseOnnx(bytes, std::move(owner), directory, "model");
}

Result<Graph> Parse(const pb::ModelProto& model, const std::string& directory) {
  return ParseText(model.SerializeAsString(), directory);
}

pb::ModelProto Written(const Graph& graph) {
  pb::ModelProto model;
  const auto text = SerializeOnnx(graph);
  EXPECT_TRUE(text) << (text ? "" : text.error().message);
  EXPECT_TRUE(text && model.ParseFromString(*text));
  return model;
}

pb::AttributeProto IntAttribute(const std::string& name, int64_t value) {
  pb::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(pb::AttributeProto::INT);
  attribute.set_i(value);
  return attribute;
}

pb::AttributeProto GraphAttribute(const std::string& name, pb::GraphProto graph) {
  pb::AttributeProto attribute;
  attribute.set_name(name);
  attribute.set_type(pb::AttributeProto::GRAPH);
  *attribute.mutable_g() = std::move(graph);
  return attribute;
}

}  // namespace tessera::graph::testing
