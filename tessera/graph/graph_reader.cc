#include <limits>

#include "tessera/base/file.h"
#include "tessera/graph/branches.h"
#include "tessera/graph/definitions.h"
#include "tessera/graph/element_types.h"
#include "tessera/graph/node_reader.h"
#include "tessera/graph/onnx.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/tensor_reader.h"
#include "tessera/graph/value_codec.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

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
  Result<void> ReadOutputs();
  void ReadValueInfos();
  Result<void> KeepRest();

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
  TRY(NodeReader(graph_, tensors_, inner_names_).ReadAll(*model_.mutable_graph()));
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
    graph_.opsets[IsStandardDomain(import.domain()) ? "" : import.domain()] = import.version();
  }
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
    TRY(DefineConstant(graph_, name, std::move(constant)));
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
    TRY(DefineConstant(graph_, sparse.values().name(), std::move(constant)));
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
    TRY_ASSIGN(const ValueId id, Define(graph_, info.name(), "an input"));
    ReadValueInfo(std::move(info), symbols_, graph_.value(id));
    graph_.inputs().push_back(id);
  }
  model_.mutable_graph()->clear_input();
  return {};
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
