#include <limits>

#include "tessera/base/file.h"
#include "tessera/graph/attribute_codec.h"
#include "tessera/graph/branches.h"
#include "tessera/graph/element_types.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/subgraph.h"
#include "tessera/graph/tensor_reader.h"
#include "tessera/graph/value_codec.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

// "node 'encoder.0' (MatMul)"; unnamed nodes by their number.
std::string NameOf(const pb::NodeProto& node, int index) {
  if (node.name().empty()) return fmt::format("node #{} ({})", index, node.op_type());
  return fmt::format("node '{}' ({})", node.name(), node.op_type());
}

bool IsDefaultDomain(const std::string& domain) {
  return domain.empty() || domain == "ai.onnx";
}

// Reads one model; the members are what the steps share.
class ModelReader {
 public:
  ModelReader(WireModel parts, std::shared_ptr<const void> owner, const std::filesystem::path& directory)
      : parts_(std::move(parts)), owner_(std::move(owner)), tensors_(directory) {}

  Result<Graph> Read(const ReadOptions& options);

 private:
  Result<void> ReadHeader();
  Result<void> ReadInitializers();
  Result<void> ReadSparseInitializers();
  Result<void> ReadInputs();
  Result<void> ReadNodes();
  Result<void> ReadOutputs();
  void ReadValueInfos();
  Result<void> KeepRest();

  Result<void> ReadNode(pb::NodeProto& proto, int index);
  Result<void> ResolveInputs(const pb::NodeProto& proto, int index, Node& node) const;
  Result<void> DefineOutputs(const pb::NodeProto& proto, int index, Node& node);
  Result<bool> ReadConstantNode(pb::NodeProto& proto, int index);
  Result<std::optional<Constant>> ConstantOf(pb::AttributeProto& attribute);
  Result<void> AddInitializer(const std::string& value_name, Constant constant);
  Result<ValueId> Define(const std::string& value_name, const std::string& by);
  tl::unexpected<Error> Undefined(const std::string& value_name, const std::string& reader) const;

  WireModel parts_;
  std::shared_ptr<const void> owner_;
  TensorReader tensors_;
  SymbolTable symbols_;
  std::vector<std::string> inner_names_;
  pb::ModelProto model_;
  Graph graph_;
};

// What the initializers and inputs say.
Facts FactsOf(const Graph& graph) {
  Facts facts;
  for (const Value& value : graph.values()) {
    if (!value.has_shape) continue;
    Fact fact = Fact::Of(value.shape);
    const bool small = value.constant && value.constant->bytes.size() <= 64 * sizeof(int64_t);
    const auto numbers = small && !value.overridable ? AsInt64(*value.constant) : std::nullopt;
    if (numbers) fact = Fact::Of(value.shape, {numbers->begin(), numbers->end()});
    facts.emplace(value.name, std::move(fact));
  }
  return facts;
}

Result<Graph> ModelReader::Read(const ReadOptions& options) {
  if (!model_.ParseFromString(parts_.skeleton)) {
    return Fail(Code::kInvalidArgument, "not ONNX: not a valid ModelProto");
  }
  parts_.skeleton = {};
  TRY(ReadHeader());
  TRY(ReadInitializers());
  TRY(ReadSparseInitializers());
  TRY(ReadInputs());
  if (options.settle_branches) SettleBranches(*model_.mutable_graph(), FactsOf(graph_));
  TRY(ReadNodes());
  TRY(ReadOutputs());
  ReadValueInfos();
  TRY(KeepRest());
  graph_.symbol_names = symbols_.TakeNames();
  for (const std::string& inner : inner_names_) graph_.ReserveName(inner);
  return std::move(graph_);
}

Result<void> ModelReader::ReadHeader() {
  if (model_.ir_version() <= 0) return Fail(Code::kInvalidArgument, "not ONNX: no IR version");
  if (model_.ir_version() > kNewestIrVersion) {
    return Fail(Code::kUnsupported, "IR version {}, wanted at most {}", model_.ir_version(),
                kNewestIrVersion);
  }
  graph_.ir_version = model_.ir_version();
  graph_.name = model_.graph().name();
  for (const auto& import : model_.opset_import()) {
    graph_.opsets[IsDefaultDomain(import.domain()) ? "" : import.domain()] = import.version();
  }
  return {};
}

Result<ValueId> ModelReader::Define(const std::string& value_name, const std::string& by) {
  if (value_name.empty()) return Fail(Code::kInvalidArgument, "{} has no name", by);
  if (graph_.FindValue(value_name)) {
    return Fail(Code::kInvalidArgument, "value '{}' is defined twice, the second time by {}", value_name, by);
  }
  const ValueId id = graph_.AddValue(value_name, DType::kUndefined, {});
  graph_.value(id).has_shape = false;
  return id;
}

Result<void> ModelReader::AddInitializer(const std::string& value_name, Constant constant) {
  TRY_ASSIGN(const ValueId id, Define(value_name, "an initializer"));
  Value& value = graph_.value(id);
  value.type = constant.type;
  value.has_shape = true;
  value.shape = constant.shape;
  value.symbols.assign(value.shape.size(), -1);
  value.constant = std::make_shared<const Constant>(std::move(constant));
  return {};
}

Result<void> ModelReader::ReadInitializers() {
  for (const Bytes bytes : parts_.initializers) {
    TRY_ASSIGN(const WireTensor parts, TakeTensorApart(bytes));
    pb::TensorProto tensor;
    if (!tensor.ParseFromString(parts.skeleton)) {
      return Fail(Code::kInvalidArgument, "not ONNX: an initializer is not a valid TensorProto");
    }
    std::string name = tensor.name();
    std::optional<Bytes> raw;
    if (parts.has_raw) raw = parts.raw;
    TRY_ASSIGN(Constant constant, tensors_.Read(std::move(tensor), raw, owner_));
    TRY(AddInitializer(name, std::move(constant)));
  }
  return {};
}

Result<void> ModelReader::ReadSparseInitializers() {
  for (auto& sparse : *model_.mutable_graph()->mutable_sparse_initializer()) {
    TRY(tensors_.Embed(*sparse.mutable_values()));
    if (sparse.has_indices()) TRY(tensors_.Embed(*sparse.mutable_indices()));
    Constant constant;
    constant.sparse = true;
    constant.type = FromOnnxType(sparse.values().data_type());
    constant.shape.assign(sparse.dims().begin(), sparse.dims().end());
    constant.raw = std::make_shared<const std::string>(sparse.SerializeAsString());
    TRY(AddInitializer(sparse.values().name(), std::move(constant)));
  }
  model_.mutable_graph()->clear_sparse_initializer();
  return {};
}

Result<void> ModelReader::ReadInputs() {
  for (auto& info : *model_.mutable_graph()->mutable_input()) {
    const auto initializer = graph_.FindValue(info.name());
    if (initializer && graph_.value(*initializer).constant != nullptr) {
      Value declared;
      ReadValueInfo(info, symbols_, declared);  // the initializer itself knows its type and shape better
      graph_.value(*initializer).rest = declared.rest;
      graph_.value(*initializer).overridable = true;
      continue;
    }
    TRY_ASSIGN(const ValueId id, Define(info.name(), "an input"));
    ReadValueInfo(std::move(info), symbols_, graph_.value(id));
    graph_.inputs().push_back(id);
  }
  model_.mutable_graph()->clear_input();
  return {};
}

Result<void> ModelReader::ReadNodes() {
  auto& nodes = *model_.mutable_graph()->mutable_node();
  for (int i = 0; i < nodes.size(); ++i) {
    TRY_ASSIGN(const bool was_constant, ReadConstantNode(*nodes.Mutable(i), i));
    if (!was_constant) TRY(ReadNode(*nodes.Mutable(i), i));
  }
  nodes.Clear();
  return {};
}

Result<void> ModelReader::ReadNode(pb::NodeProto& proto, int index) {
  Node node;
  node.name = proto.name();
  node.op_type = proto.op_type();
  node.domain = IsDefaultDomain(proto.domain()) ? "" : proto.domain();
  if (node.op_type.empty()) return Fail(Code::kInvalidArgument, "{} has no op_type", NameOf(proto, index));
  TRY(ResolveInputs(proto, index, node));
  node.attributes.reserve(static_cast<size_t>(proto.attribute_size()));
  for (auto& attribute : *proto.mutable_attribute()) {
    TRY_ASSIGN(Attribute read, ReadAttribute(attribute, tensors_, inner_names_));
    for (const std::string& captured : read.captured_names) {
      const auto value = graph_.FindValue(captured);
      if (!value) return Undefined(captured, "a subgraph of " + NameOf(proto, index));
      read.captured.push_back(*value);
    }
    node.attributes.push_back(std::move(read));
  }
  TRY(DefineOutputs(proto, index, node));
  proto.clear_name();
  proto.clear_op_type();
  proto.clear_domain();
  proto.clear_input();
  proto.clear_output();
  proto.clear_attribute();
  node.rest = proto.SerializeAsString();
  graph_.AddNode(std::move(node));
  return {};
}

Result<void> ModelReader::ResolveInputs(const pb::NodeProto& proto, int index, Node& node) const {
  for (const std::string& input : proto.input()) {
    const auto value = input.empty() ? kNoValue : graph_.FindValue(input);
    if (!value) return Undefined(input, NameOf(proto, index));
    node.inputs.push_back(*value);
  }
  return {};
}

Result<void> ModelReader::DefineOutputs(const pb::NodeProto& proto, int index, Node& node) {
  for (const std::string& output : proto.output()) {
    if (output.empty()) {
      node.outputs.push_back(kNoValue);
      continue;
    }
    TRY_ASSIGN(const ValueId value, Define(output, NameOf(proto, index)));
    node.outputs.push_back(value);
  }
  return {};
}

tl::unexpected<Error> ModelReader::Undefined(const std::string& value_name, const std::string& reader) const {
  for (const auto& node : model_.graph().node()) {
    for (const std::string& output : node.output()) {
      if (output != value_name) continue;
      return Fail(Code::kInvalidArgument, "not topologically sorted: {} reads '{}' before '{}' ({}) makes it",
                  reader, value_name, node.name(), node.op_type());
    }
  }
  return Fail(Code::kInvalidArgument, "{} reads '{}', which nothing defines", reader, value_name);
}

// Numbers and strings given as attributes become the tensor that the node stands for. nullopt: stays a node.
Result<std::optional<Constant>> ModelReader::ConstantOf(pb::AttributeProto& attribute) {
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
    return std::optional<Constant>();
  }
  if (attribute.has_ref_attr_name()) return std::optional<Constant>();
  TRY_ASSIGN(Constant constant, tensors_.Read(std::move(tensor)));
  return std::optional<Constant>(std::move(constant));
}

Result<bool> ModelReader::ReadConstantNode(pb::NodeProto& proto, int index) {
  const bool plain = proto.op_type() == "Constant" && IsDefaultDomain(proto.domain()) &&
                     proto.input_size() == 0 && proto.output_size() == 1 && proto.attribute_size() == 1 &&
                     proto.device_configurations_size() == 0 && !proto.has_overload();
  if (!plain) return false;
  auto& attribute = *proto.mutable_attribute(0);
  if (attribute.has_t()) attribute.mutable_t()->set_name(proto.output(0));  // for errors
  TRY_ASSIGN(std::optional<Constant> constant, ConstantOf(attribute));
  if (!constant) return false;
  pb::TensorProto rest;  // the node's documentation becomes the tensor's
  if (proto.has_doc_string()) rest.set_doc_string(proto.doc_string());
  *rest.mutable_metadata_props() = proto.metadata_props();
  constant->rest += rest.SerializeAsString();
  if (proto.output(0).empty()) {
    return Fail(Code::kInvalidArgument, "{} has an output without a name", NameOf(proto, index));
  }
  TRY(AddInitializer(proto.output(0), *std::move(constant)));
  return true;
}

Result<void> ModelReader::ReadOutputs() {
  for (auto& info : *model_.mutable_graph()->mutable_output()) {
    const auto id = graph_.FindValue(info.name());
    if (!id) return Fail(Code::kInvalidArgument, "output '{}' is a value that nothing defines", info.name());
    graph_.outputs().push_back(*id);
    Value& value = graph_.value(*id);
    const Value before = value;
    ReadValueInfo(std::move(info), symbols_, value);
    if (before.has_shape) {  // an input's or initializer's own
      value.type = before.type;
      value.has_shape = true;
      value.shape = before.shape;
      value.symbols = before.symbols;
    }
  }
  model_.mutable_graph()->clear_output();
  return {};
}

// Declarations of values that are not of the main graph (of functions) stay in the rest.
void ModelReader::ReadValueInfos() {
  google::protobuf::RepeatedPtrField<pb::ValueInfoProto> others;
  for (auto& info : *model_.mutable_graph()->mutable_value_info()) {
    const auto id = graph_.FindValue(info.name());
    if (!id) {
      others.Add(std::move(info));
    } else if (Value& value = graph_.value(*id); value.type == DType::kUndefined && value.rest.empty()) {
      ReadValueInfo(std::move(info), symbols_, value);
    }
  }
  *model_.mutable_graph()->mutable_value_info() = std::move(others);
}

Result<void> ModelReader::KeepRest() {
  for (auto& function : *model_.mutable_functions()) {
    for (auto& node : *function.mutable_node()) TRY(tensors_.Embed(node));
  }
  for (auto& training : *model_.mutable_training_info()) {
    if (training.has_initialization()) TRY(tensors_.Embed(*training.mutable_initialization()));
    if (training.has_algorithm()) TRY(tensors_.Embed(*training.mutable_algorithm()));
  }
  model_.mutable_graph()->clear_name();
  model_.clear_ir_version();
  model_.clear_opset_import();
  if (model_.graph().ByteSizeLong() == 0) model_.clear_graph();
  graph_.rest = model_.SerializeAsString();
  return {};
}

}  // namespace

Result<Graph> ParseOnnx(Bytes model, std::shared_ptr<const void> owner,
                        const std::filesystem::path& directory, std::string_view what,
                        const ReadOptions& options) {
  if (model.size() > static_cast<size_t>(std::numeric_limits<int32_t>::max())) {
    return Fail(Code::kInvalidArgument,
                "'{}' is not ONNX: {} bytes, wanted at most 2 GB (larger: external data)", what,
                model.size());
  }
  const auto read = [&]() -> Result<Graph> {
    TRY_ASSIGN(WireModel parts, TakeApart(model));
    return ModelReader(std::move(parts), std::move(owner), directory).Read(options);
  };
  auto graph = read();
  if (!graph) graph.error().message = fmt::format("'{}': {}", what, graph.error().message);
  return graph;
}

Result<Graph> ReadOnnx(const std::filesystem::path& file, const ReadOptions& options) {
  TRY_ASSIGN(std::shared_ptr<const MappedFile> mapped, MappedFile::Open(file));
  const Bytes bytes = mapped->bytes();
  return ParseOnnx(bytes, std::move(mapped), file.parent_path(), file.string(), options);
}

}  // namespace tessera::graph
