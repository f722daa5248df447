#include "tessera/graph/node_reader.h"

#include "tessera/graph/attribute_codec.h"
#include "tessera/graph/constant_node.h"
#include "tessera/graph/definitions.h"

namespace tessera::graph {
namespace {

// "node 'encoder.0' (MatMul)"; unnamed nodes by their number.
std::string NameOf(const pb::NodeProto& node, int index) {
  if (node.name().empty()) return fmt::format("node #{} ({})", index, node.op_type());
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

// What a Node does not hold, as it came.
std::string RestOf(pb::NodeProto& proto) {
  proto.clear_name();
  proto.clear_op_type();
  proto.clear_domain();
  proto.clear_input();
  proto.clear_output();
  proto.clear_attribute();
  return proto.SerializeAsString();
}

}  // namespace

Result<void> NodeReader::ReadAll(pb::GraphProto& from) {
  from_ = &from;
  auto& nodes = *from.mutable_node();
  for (int i = 0; i < nodes.size(); ++i) {
    pb::NodeProto& proto = *nodes.Mutable(i);
    TRY_ASSIGN(const bool was_constant, DefineIfConstant(proto, i));
    if (was_constant) continue;
    TRY_ASSIGN(Node node, Read(proto, NameOf(proto, i)));
    graph_.AddNode(std::move(node));
  }
  nodes.Clear();
  return {};
}

Result<bool> NodeReader::DefineIfConstant(pb::NodeProto& proto, int index) {
  TRY_ASSIGN(std::optional<Constant> constant, ReadConstantNode(proto, tensors_));
  if (!constant) return false;
  if (proto.output(0).empty()) {
    return Fail(Code::kInvalidArgument, "{} has an output without a name", NameOf(proto, index));
  }
  TRY(DefineConstant(graph_, proto.output(0), *std::move(constant)));
  return true;
}

Result<Node> NodeReader::Read(pb::NodeProto& proto, const std::string& by) {
  Node node;
  node.name = proto.name();
  node.op_type = proto.op_type();
  node.domain = IsStandardDomain(proto.domain()) ? "" : proto.domain();
  if (node.op_type.empty()) return Fail(Code::kInvalidArgument, "{} has no op_type", by);
  TRY(ResolveInputs(proto, by, node));
  TRY(ReadAttributes(proto, by, node));
  TRY(DefineOutputs(proto, by, node));
  node.rest = RestOf(proto);
  return node;
}

Result<void> NodeReader::ResolveInputs(const pb::NodeProto& proto, const std::string& by, Node& node) const {
  for (const std::string& input : proto.input()) {
    const auto value = input.empty() ? kNoValue : graph_.FindValue(input);
    if (!value) return Undefined(input, by);
    node.inputs.push_back(*value);
  }
  return {};
}

Result<void> NodeReader::ReadAttributes(pb::NodeProto& proto, const std::string& by, Node& node) {
  node.attributes.reserve(static_cast<size_t>(proto.attribute_size()));
  for (auto& attribute : *proto.mutable_attribute()) {
    TRY_ASSIGN(Attribute read, ReadAttribute(attribute, tensors_, inner_names_));
    for (const std::string& captured : read.captured_names) {
      const auto value = graph_.FindValue(captured);
      if (!value) return Undefined(captured, "a subgraph of " + by);
      read.captured.push_back(*value);
    }
    node.attributes.push_back(std::move(read));
  }
  return {};
}

Result<void> NodeReader::DefineOutputs(const pb::NodeProto& proto, const std::string& by, Node& node) {
  for (const std::string& output : proto.output()) {
    if (output.empty()) {
      node.outputs.push_back(kNoValue);
      continue;
    }
    TRY_ASSIGN(const ValueId value, Define(graph_, output, by));
    node.outputs.push_back(value);
  }
  return {};
}

tl::unexpected<Error> NodeReader::Undefined(const std::string& value_name, const std::string& reader) const {
  for (const auto& node : from_->node()) {
    for (const std::string& output : node.output()) {
      if (output != value_name) continue;
      return Fail(Code::kInvalidArgument, "not topologically sorted: {} reads '{}' before '{}' ({}) makes it",
                  reader, value_name, node.name(), node.op_type());
    }
  }
  return Fail(Code::kInvalidArgument, "{} reads '{}', which nothing defines", reader, value_name);
}

}  // namespace tessera::graph
