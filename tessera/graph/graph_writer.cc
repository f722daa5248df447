#include <limits>

#include "tessera/graph/attribute_codec.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/output_file.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/subgraph.h"
#include "tessera/graph/tensor_writer.h"
#include "tessera/graph/value_codec.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

constexpr uint32_t kInitializerField = pb::GraphProto::kInitializerFieldNumber;
constexpr uint32_t kGraphField = pb::ModelProto::kGraphFieldNumber;
constexpr uint32_t kRawDataField = pb::TensorProto::kRawDataFieldNumber;
constexpr int64_t kInitializersNeedNoInput =
    4;  // the IR version from which an initializer need not be an input

std::string NameOf(const Node& node, size_t index) {
  if (node.name.empty()) return fmt::format("node #{} ({})", index, node.op_type);
  return fmt::format("node '{}' ({})", node.name, node.op_type);
}

// A dense initializer to be written: a message whose last field is the raw data.
struct InitializerRecord {
  std::string head;  // the TensorProto without raw_data, then raw_data's tag and length if there is any
  Bytes raw;
  std::shared_ptr<const Constant> owner;
  uint64_t size() const { return head.size() + raw.size(); }
};

// Everything of a model but the bytes of its initializers.
class ModelWriter {
 public:
  ModelWriter(const Graph& graph, const InitializerSource& source) : graph_(graph), source_(source) {}

  Result<void> Prepare();
  // Hands the model over in pieces, in order. After Prepare.
  Result<void> Emit(const std::function<Result<void>(Bytes)>& sink) const;

 private:
  Result<void> CheckOrder();
  void MarkNamesOfRest();
  Result<void> WriteNodes();
  void WriteValueInfos();
  Result<void> WriteInitializers();
  Result<void> WriteInitializer(ValueId id, InitializerContent content);
  Result<void> CheckSize();

  const Graph& graph_;
  const InitializerSource& source_;
  pb::ModelProto model_;  // without the graph
  pb::GraphProto proto_;  // without dense initializers
  std::vector<bool> defined_;
  std::vector<bool> read_;
  std::vector<InitializerRecord> initializers_;
  std::string head_;   // the IR version, then the graph's tag and length
  std::string nodes_;  // the serialized graph without dense initializers
  std::string tail_;   // the rest of the model
};

Result<void> ModelWriter::Prepare() {
  if (!model_.ParseFromString(graph_.rest)) return Fail(Code::kInternal, "the graph's rest is no ModelProto");
  proto_.Swap(model_.mutable_graph());
  model_.clear_graph();
  model_.set_ir_version(graph_.ir_version);
  for (const auto& [domain, version] : graph_.opsets) {
    auto& import = *model_.add_opset_import();
    import.set_domain(domain);
    import.set_version(version);
  }
  proto_.set_name(graph_.name);
  TRY(CheckOrder());
  MarkNamesOfRest();
  TRY(WriteNodes());
  WriteValueInfos();
  TRY(WriteInitializers());
  nodes_ = proto_.SerializeAsString();
  return CheckSize();
}

Result<void> ModelWriter::CheckOrder() {
  defined_.assign(graph_.values().size(), false);
  read_.assign(graph_.values().size(), false);
  const auto at = [](ValueId id) { return static_cast<size_t>(id.value()); };
  for (size_t i = 0; i < graph_.values().size(); ++i) defined_[i] = graph_.values()[i].constant != nullptr;
  for (ValueId input : graph_.inputs()) defined_[at(input)] = true;
  for (size_t i = 0; i < graph_.nodes().size(); ++i) {
    const Node& node = graph_.nodes()[i];
    const auto read = [&](ValueId id) -> Result<void> {
      if (id == kNoValue) return {};
      read_[at(id)] = true;
      if (defined_[at(id)]) return {};
      return Fail(Code::kInvalidArgument, "{} reads '{}', which nothing before it defines", NameOf(node, i),
                  graph_.value(id).name);
    };
    for (ValueId input : node.inputs) TRY(read(input));
    for (const Attribute& attribute : node.attributes) {
      for (ValueId captured : attribute.captured) TRY(read(captured));
    }
    for (ValueId output : node.outputs) {
      if (output != kNoValue) defined_[at(output)] = true;
    }
  }
  for (ValueId output : graph_.outputs()) {
    read_[at(output)] = true;
    if (defined_[at(output)]) continue;
    return Fail(Code::kInvalidArgument, "output '{}' is a value that nothing defines",
                graph_.value(output).name);
  }
  return {};
}

// Training graphs and quantization annotations name initializers, too.
void ModelWriter::MarkNamesOfRest() {
  const auto mark = [&](const std::string& name) {
    if (const auto id = graph_.FindValue(name)) read_[static_cast<size_t>(id->value())] = true;
  };
  for (const auto& annotation : proto_.quantization_annotation()) {
    mark(annotation.tensor_name());
    for (const auto& parameter : annotation.quant_parameter_tensor_names()) mark(parameter.value());
  }
  for (auto& training : *model_.mutable_training_info()) {
    for (const auto& binding : training.initialization_binding()) mark(binding.key());
    for (const auto& binding : training.update_binding()) mark(binding.key());
    if (!training.has_algorithm()) continue;
    for (const std::string& name : NamesOf(*training.mutable_algorithm()).captured) mark(name);
  }
}

Result<void> ModelWriter::WriteNodes() {
  proto_.mutable_node()->Reserve(static_cast<int>(graph_.nodes().size()));
  for (const Node& node : graph_.nodes()) {
    auto& proto = *proto_.add_node();
    proto.ParseFromString(node.rest);
    const auto name_of = [&](ValueId id) { return id == kNoValue ? std::string() : graph_.value(id).name; };
    for (ValueId input : node.inputs) proto.add_input(name_of(input));
    for (ValueId output : node.outputs) proto.add_output(name_of(output));
    if (!node.name.empty()) proto.set_name(node.name);
    proto.set_op_type(node.op_type);
    if (!node.domain.empty()) proto.set_domain(node.domain);
    for (const Attribute& attribute : node.attributes) {
      TRY_ASSIGN(*proto.add_attribute(), WriteAttribute(attribute, graph_));
    }
  }
  return {};
}

void ModelWriter::WriteValueInfos() {
  const auto info_of = [&](ValueId id) { return WriteValueInfo(graph_.value(id), graph_.symbol_names); };
  std::vector<bool> done(graph_.values().size(), false);
  for (ValueId id : graph_.inputs()) {
    *proto_.add_input() = info_of(id);
    done[static_cast<size_t>(id.value())] = true;
  }
  for (ValueId id : graph_.outputs()) {
    *proto_.add_output() = info_of(id);
    done[static_cast<size_t>(id.value())] = true;
  }
  const bool all_are_inputs = graph_.ir_version < kInitializersNeedNoInput;
  for (size_t i = 0; i < graph_.values().size(); ++i) {
    const Value& value = graph_.values()[i];
    const ValueId id{static_cast<int32_t>(i)};
    if (value.constant != nullptr) {
      if (!read_[i] && !value.overridable) continue;
      if (value.overridable || all_are_inputs) {
        *proto_.add_input() = info_of(id);
      } else if (!done[i] && !value.rest.empty()) {
        *proto_.add_value_info() = info_of(id);
      }
    } else if (defined_[i] && !done[i] && (value.type != DType::kUndefined || !value.rest.empty())) {
      *proto_.add_value_info() = info_of(id);
    }
  }
}

Result<void> ModelWriter::WriteInitializers() {
  for (size_t i = 0; i < graph_.values().size(); ++i) {
    const Value& value = graph_.values()[i];
    if (value.constant == nullptr || (!read_[i] && !value.overridable)) continue;
    const ValueId id{static_cast<int32_t>(i)};
    InitializerContent content = value.constant;
    if (source_) {
      TRY_ASSIGN(content, source_(id));
    }
    TRY(WriteInitializer(id, std::move(content)));
  }
  return {};
}

void SetExternal(const ExternalData& place, pb::TensorProto& tensor) {
  const auto set = [&](const char* key, std::string text) {
    auto& entry = *tensor.add_external_data();
    entry.set_key(key);
    entry.set_value(std::move(text));
  };
  tensor.set_data_location(pb::TensorProto::EXTERNAL);
  set("location", place.file);
  set("offset", std::to_string(place.offset));
  set("length", std::to_string(place.length));
}

Result<void> ModelWriter::WriteInitializer(ValueId id, InitializerContent content) {
  const Value& value = graph_.value(id);
  InitializerRecord record;
  if (const auto* place = std::get_if<ExternalData>(&content)) {
    pb::TensorProto tensor = WriteTensorHead(*value.constant);
    tensor.set_name(value.name);
    SetExternal(*place, tensor);
    record.head = tensor.SerializeAsString();
    initializers_.push_back(std::move(record));
    return {};
  }
  record.owner = std::get<std::shared_ptr<const Constant>>(std::move(content));
  if (record.owner == nullptr) return Fail(Code::kInternal, "no content for initializer '{}'", value.name);
  if (record.owner->sparse) {
    auto& sparse = *proto_.add_sparse_initializer();
    sparse.ParseFromString(*record.owner->raw);
    sparse.mutable_values()->set_name(value.name);
    return {};
  }
  pb::TensorProto tensor = WriteTensorHead(*record.owner);
  tensor.set_name(value.name);
  record.head = tensor.SerializeAsString();
  if (record.owner->raw == nullptr) {
    record.raw = record.owner->bytes;
    record.head += WireHeader(kRawDataField, record.raw.size());
  }
  initializers_.push_back(std::move(record));
  return {};
}

Result<void> ModelWriter::CheckSize() {
  uint64_t graph_bytes = nodes_.size();
  for (const InitializerRecord& record : initializers_) {
    graph_bytes += WireHeader(kInitializerField, record.size()).size() + record.size();
  }
  // The graph stands before what may be there more than once: OpenVINO takes a file for ONNX only if its
  // first three fields are different ones.
  pb::ModelProto first;
  first.set_ir_version(graph_.ir_version);
  head_ = first.SerializeAsString() + WireHeader(kGraphField, graph_bytes);
  model_.clear_ir_version();
  tail_ = model_.SerializeAsString();
  const uint64_t total = head_.size() + graph_bytes + tail_.size();
  if (total <= static_cast<uint64_t>(std::numeric_limits<int32_t>::max())) return {};
  return Fail(Code::kInvalidArgument,
              "the model has {} bytes, ONNX wants at most 2 GB (larger: external data)", total);
}

Result<void> ModelWriter::Emit(const std::function<Result<void>(Bytes)>& sink) const {
  TRY(sink(AsBytes(head_)));
  TRY(sink(AsBytes(nodes_)));
  for (const InitializerRecord& record : initializers_) {
    TRY(sink(AsBytes(WireHeader(kInitializerField, record.size()))));
    TRY(sink(AsBytes(record.head)));
    TRY(sink(record.raw));
  }
  return sink(AsBytes(tail_));
}

}  // namespace

Result<void> WriteOnnx(const Graph& graph, const std::filesystem::path& file,
                       const InitializerSource& source) {
  ModelWriter writer(graph, source);
  TRY(writer.Prepare());
  TRY_ASSIGN(OutputFile output, OutputFile::Create(file));
  TRY(writer.Emit([&](Bytes bytes) { return output.Write(bytes); }));
  return output.Commit();
}

Result<std::string> SerializeOnnx(const Graph& graph, const InitializerSource& source) {
  ModelWriter writer(graph, source);
  TRY(writer.Prepare());
  std::string model;
  TRY(writer.Emit([&](Bytes bytes) -> Result<void> {
    model.append(AsText(bytes));
    return {};
  }));
  return model;
}

}  // namespace tessera::graph
