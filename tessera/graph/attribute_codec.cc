#include "tessera/graph/attribute_codec.h"

#include "tessera/graph/subgraph.h"
#include "tessera/graph/tensor_writer.h"

namespace tessera::graph {
namespace {

using Kind = Attribute::Kind;
using Type = pb::AttributeProto::AttributeType;

// Models of IR version 1 do not say the type: the field in use tells it.
Type TypeOf(const pb::AttributeProto& proto) {
  if (proto.type() != pb::AttributeProto::UNDEFINED || proto.has_ref_attr_name()) return proto.type();
  if (proto.has_f()) return pb::AttributeProto::FLOAT;
  if (proto.has_i()) return pb::AttributeProto::INT;
  if (proto.has_s()) return pb::AttributeProto::STRING;
  if (proto.has_t()) return pb::AttributeProto::TENSOR;
  if (proto.ints_size() > 0) return pb::AttributeProto::INTS;
  if (proto.floats_size() > 0) return pb::AttributeProto::FLOATS;
  if (proto.strings_size() > 0) return pb::AttributeProto::STRINGS;
  return pb::AttributeProto::UNDEFINED;
}

Kind KindOf(const pb::AttributeProto& proto) {
  if (proto.has_ref_attr_name()) return Kind::kOther;  // of a function's body
  switch (TypeOf(proto)) {
    case pb::AttributeProto::INT:
      return Kind::kInt;
    case pb::AttributeProto::FLOAT:
      return Kind::kFloat;
    case pb::AttributeProto::STRING:
      return Kind::kString;
    case pb::AttributeProto::INTS:
      return Kind::kInts;
    case pb::AttributeProto::FLOATS:
      return Kind::kFloats;
    case pb::AttributeProto::STRINGS:
      return Kind::kStrings;
    case pb::AttributeProto::TENSOR:
      return Kind::kTensor;
    default:
      return Kind::kOther;
  }
}

// What Attribute does not hold; the value and the name were taken already.
std::string Rest(pb::AttributeProto& proto) {
  proto.clear_name();
  proto.clear_type();
  proto.clear_i();
  proto.clear_f();
  proto.clear_s();
  proto.clear_t();
  proto.clear_ints();
  proto.clear_floats();
  proto.clear_strings();
  return proto.SerializeAsString();
}

Result<pb::AttributeProto> WriteOther(const Attribute& attribute, const Graph& graph) {
  pb::AttributeProto proto;
  if (!proto.ParseFromString(attribute.raw) || attribute.captured.size() != attribute.captured_names.size()) {
    return Fail(Code::kInternal, "attribute '{}' has no valid content", attribute.name);
  }
  std::unordered_map<std::string, std::string> renamed;
  for (size_t i = 0; i < attribute.captured.size(); ++i) {
    const std::string& now = graph.value(attribute.captured[i]).name;
    if (now != attribute.captured_names[i]) renamed.emplace(attribute.captured_names[i], now);
  }
  if (!renamed.empty()) RenameCaptured(renamed, proto);
  proto.set_name(attribute.name);
  return proto;
}

}  // namespace

Result<Attribute> ReadAttribute(pb::AttributeProto& proto, TensorReader& tensors,
                                std::vector<std::string>& inner_names) {
  Attribute attribute;
  attribute.name = proto.name();
  attribute.kind = KindOf(proto);
  if (attribute.kind == Kind::kOther) {
    TRY(tensors.Embed(proto));
    SubgraphNames names = NamesOf(proto);
    attribute.captured_names = std::move(names.captured);
    inner_names.insert(inner_names.end(), names.defined.begin(), names.defined.end());
    attribute.raw = proto.SerializeAsString();
    return attribute;
  }
  attribute.i = proto.i();
  attribute.f = proto.f();
  attribute.s = std::move(*proto.mutable_s());
  attribute.ints.assign(proto.ints().begin(), proto.ints().end());
  attribute.floats.assign(proto.floats().begin(), proto.floats().end());
  attribute.strings.assign(proto.strings().begin(), proto.strings().end());
  if (attribute.kind == Kind::kTensor) {
    if (!proto.t().has_name()) proto.mutable_t()->set_name(attribute.name);  // for errors
    TRY_ASSIGN(Constant tensor, tensors.Read(std::move(*proto.mutable_t())));
    attribute.tensor = std::make_shared<const Constant>(std::move(tensor));
  }
  attribute.rest = Rest(proto);
  return attribute;
}

Result<pb::AttributeProto> WriteAttribute(const Attribute& attribute, const Graph& graph) {
  if (attribute.kind == Kind::kOther) return WriteOther(attribute, graph);
  pb::AttributeProto proto;
  proto.ParseFromString(attribute.rest);
  proto.set_name(attribute.name);
  switch (attribute.kind) {
    case Kind::kInt:
      proto.set_type(pb::AttributeProto::INT);
      proto.set_i(attribute.i);
      break;
    case Kind::kFloat:
      proto.set_type(pb::AttributeProto::FLOAT);
      proto.set_f(attribute.f);
      break;
    case Kind::kString:
      proto.set_type(pb::AttributeProto::STRING);
      proto.set_s(attribute.s);
      break;
    case Kind::kInts:
      proto.set_type(pb::AttributeProto::INTS);
      proto.mutable_ints()->Add(attribute.ints.begin(), attribute.ints.end());
      break;
    case Kind::kFloats:
      proto.set_type(pb::AttributeProto::FLOATS);
      proto.mutable_floats()->Add(attribute.floats.begin(), attribute.floats.end());
      break;
    case Kind::kStrings:
      proto.set_type(pb::AttributeProto::STRINGS);
      for (const std::string& text : attribute.strings) proto.add_strings(text);
      break;
    default:
      if (attribute.tensor == nullptr) {
        return Fail(Code::kInternal, "attribute '{}' has no tensor", attribute.name);
      }
      proto.set_type(pb::AttributeProto::TENSOR);
      *proto.mutable_t() = WriteTensor(*attribute.tensor);
  }
  return proto;
}

}  // namespace tessera::graph
