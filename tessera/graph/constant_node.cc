#include "tessera/graph/constant_node.h"

namespace tessera::graph {
namespace {

// Numbers and strings given as attributes are tensors, too. nullopt: another attribute.
std::optional<pb::TensorProto> TensorOf(pb::AttributeProto& attribute) {
  pb::TensorProto tensor;
  const std::string& name = attribute.name();
  if (name == "value" && attribute.has_t()) {
    tensor = std::move(*attribute.mutable_t());
  } else if (name == "value_int") {
    tensor.set_data_type(pb::TensorProto::INT64);
    tensor.add_int64_data(attribute.i());
  } else if (name == "value_ints") {
    tensor.set_data_type(pb::TensorProto::INT64);
    *tensor.mutable_int64_data() = attribute.ints();
    tensor.add_dims(attribute.ints_size());
  } else if (name == "value_float") {
    tensor.set_data_type(pb::TensorProto::FLOAT);
    tensor.add_float_data(attribute.f());
  } else if (name == "value_floats") {
    tensor.set_data_type(pb::TensorProto::FLOAT);
    *tensor.mutable_float_data() = attribute.floats();
    tensor.add_dims(attribute.floats_size());
  } else if (name == "value_string") {
    tensor.set_data_type(pb::TensorProto::STRING);
    tensor.add_string_data(attribute.s());
  } else if (name == "value_strings") {
    tensor.set_data_type(pb::TensorProto::STRING);
    *tensor.mutable_string_data() = attribute.strings();
    tensor.add_dims(attribute.strings_size());
  } else {
    return std::nullopt;
  }
  return tensor;
}

bool HoldsOnlyItsValue(const pb::NodeProto& node) {
  return node.op_type() == "Constant" && IsStandardDomain(node.domain()) && node.input_size() == 0 &&
         node.output_size() == 1 && node.attribute_size() == 1 && !node.attribute(0).has_ref_attr_name() &&
         node.device_configurations_size() == 0 && !node.has_overload();
}

}  // namespace

Result<std::optional<Constant>> ReadConstantNode(pb::NodeProto& node, TensorReader& tensors) {
  if (!HoldsOnlyItsValue(node)) return std::nullopt;
  std::optional<pb::TensorProto> tensor = TensorOf(*node.mutable_attribute(0));
  if (!tensor) return std::nullopt;
  tensor->set_name(node.output(0));  // for errors
  TRY_ASSIGN(Constant constant, tensors.Read(*std::move(tensor)));
  pb::TensorProto rest;  // the node's documentation becomes the tensor's
  if (node.has_doc_string()) rest.set_doc_string(node.doc_string());
  *rest.mutable_metadata_props() = node.metadata_props();
  constant.rest += rest.SerializeAsString();
  return constant;
}

}  // namespace tessera::graph
