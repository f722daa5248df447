#include <algorithm>
#include <iterator>
#include <limits>

#include "tessera/base/file.h"
#include "tessera/graph/annotation.h"
#include "tessera/graph/output_file.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/wire.h"

namespace tessera::graph {
namespace {

constexpr int64_t kFirstIrVersion = 11;  // that has annotations

using ByOutput = std::map<std::string, std::vector<ShardedTensor>>;

// A message put together from pieces of another one and new ones, which it holds.
class Pieces {
 public:
  void Add(Bytes bytes) { pieces_.push_back({bytes, {}}); }
  void Add(std::string text) { pieces_.push_back({{}, std::move(text)}); }

  void Add(Pieces other) {
    pieces_.insert(pieces_.end(), std::make_move_iterator(other.pieces_.begin()),
                   std::make_move_iterator(other.pieces_.end()));
  }

  uint64_t size() const {
    uint64_t sum = 0;
    for (const Piece& piece : pieces_) sum += piece.bytes().size();
    return sum;
  }

  Result<void> Write(OutputFile& file) const {
    for (const Piece& piece : pieces_) TRY(file.Write(piece.bytes()));
    return {};
  }

 private:
  struct Piece {
    Bytes there;
    std::string made;
    Bytes bytes() const { return made.empty() ? there : AsBytes(made); }
  };
  std::vector<Piece> pieces_;
};

void Fill(const ShardedTensor& tensor, pb::ShardingSpecProto& spec) {
  spec.set_tensor_name(tensor.tensor);
  for (const int64_t device : tensor.devices) spec.add_device(device);
  for (const auto& [key, devices] : tensor.groups) {
    auto& entry = *spec.add_index_to_device_group_map();
    entry.set_key(key);
    for (const int64_t device : devices) entry.add_value(device);
  }
  for (const ShardedAxis& axis : tensor.axes) {
    auto& dim = *spec.add_sharded_dim();
    dim.set_axis(axis.axis);
    for (const ShardedFactor& factor : axis.factors) {
      auto& simple = *dim.add_simple_sharding();
      if (factor.size != kDynamic) simple.set_dim_value(factor.size);
      simple.set_num_shards(factor.shards);
    }
  }
}

class Annotator {
 public:
  Annotator(const DeviceConfiguration& configuration, const ByOutput& by_output)
      : configuration_(configuration), by_output_(by_output) {}

  Result<void> Run(Bytes model, const std::filesystem::path& from, const std::filesystem::path& to) {
    TRY(ReadModel(model));
    if (external_ && !SameDirectory(from, to)) {
      return Fail(
          Code::kInvalidArgument,
          "'{}' has weights in other files, which are found beside it: the annotated model must lie in '{}', "
          "too, got '{}'",
          from.string(), Directory(from).string(), to.string());
    }
    if (model_.size() > static_cast<uint64_t>(std::numeric_limits<int32_t>::max()))
      return Fail(Code::kInvalidArgument, "the annotated model has {} bytes, ONNX wants at most 2 GB",
                  model_.size());
    TRY_ASSIGN(OutputFile file, OutputFile::Create(to));
    TRY(model_.Write(file));
    return file.Commit();
  }

 private:
  static std::filesystem::path Directory(const std::filesystem::path& file) {
    return file.parent_path().empty() ? "." : file.parent_path();
  }

  static bool SameDirectory(const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code error;
    return std::filesystem::equivalent(Directory(a), Directory(b), error);
  }

  Result<void> ReadModel(Bytes model) {
    WireReader reader(model);
    WireField field;
    while (reader.Next(field)) {
      if (field.number == pb::ModelProto::kIrVersionFieldNumber) {
        pb::ModelProto version;
        if (!version.ParseFromArray(field.whole.data(), static_cast<int>(field.whole.size())))
          return NotOnnx();
        version.set_ir_version(std::max<int64_t>(version.ir_version(), kFirstIrVersion));
        model_.Add(version.SerializeAsString());
      } else if (field.number == pb::ModelProto::kGraphFieldNumber && field.wire_type == kLengthDelimited) {
        TRY(AddGraph(field.payload));
      } else if (!IsOurs<pb::DeviceConfigurationProto>(field, pb::ModelProto::kConfigurationFieldNumber)) {
        model_.Add(field.whole);
      }
    }
    if (reader.malformed()) return NotOnnx();
    pb::ModelProto ours;
    auto& configuration = *ours.add_configuration();
    configuration.set_name(configuration_.name);
    configuration.set_num_devices(static_cast<int32_t>(configuration_.devices));
    model_.Add(ours.SerializeAsString());
    return {};
  }

  template <class Proto>
  bool IsOurs(const WireField& field, uint32_t number) const {
    Proto proto;
    return field.number == number &&
           proto.ParseFromArray(field.payload.data(), static_cast<int>(field.payload.size())) &&
           proto.name() == configuration_.name;
  }

  Result<void> AddGraph(Bytes graph) {
    Pieces pieces;
    WireReader reader(graph);
    WireField field;
    while (reader.Next(field)) {
      if (field.number == pb::GraphProto::kNodeFieldNumber && field.wire_type == kLengthDelimited) {
        TRY(AddNode(field, pieces));
      } else {
        if (field.number == pb::GraphProto::kInitializerFieldNumber) TRY(LookAtInitializer(field.payload));
        pieces.Add(field.whole);
      }
    }
    if (reader.malformed()) return NotOnnx();
    model_.Add(WireHeader(pb::ModelProto::kGraphFieldNumber, pieces.size()));
    model_.Add(std::move(pieces));
    return {};
  }

  Result<void> LookAtInitializer(Bytes bytes) {
    TRY_ASSIGN(const WireTensor parts, TakeTensorApart(bytes));
    pb::TensorProto tensor;
    if (!tensor.ParseFromString(parts.skeleton)) return NotOnnx();
    external_ = external_ || tensor.data_location() == pb::TensorProto::EXTERNAL;
    return {};
  }

  Result<void> AddNode(const WireField& field, Pieces& pieces) {
    pb::NodeProto node;
    if (!node.ParseFromArray(field.payload.data(), static_cast<int>(field.payload.size()))) return NotOnnx();
    auto& configurations = *node.mutable_device_configurations();
    const auto ours = [&](const auto& c) { return c.configuration_id() == configuration_.name; };
    configurations.erase(std::remove_if(configurations.begin(), configurations.end(), ours),
                         configurations.end());
    const auto found = std::find_if(node.output().begin(), node.output().end(),
                                    [&](const std::string& output) { return by_output_.contains(output); });
    if (found != node.output().end()) {
      auto& annotation = *configurations.Add();
      annotation.set_configuration_id(configuration_.name);
      for (const ShardedTensor& tensor : by_output_.at(*found)) {
        if (Has(node.input(), tensor.tensor) || Has(node.output(), tensor.tensor))
          Fill(tensor, *annotation.add_sharding_spec());
      }
    }
    const std::string bytes = node.SerializeAsString();
    pieces.Add(WireHeader(pb::GraphProto::kNodeFieldNumber, bytes.size()) + bytes);
    return {};
  }

  template <class Names>
  static bool Has(const Names& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
  }

  static tl::unexpected<Error> NotOnnx() {
    return Fail(Code::kInvalidArgument, "not ONNX: not a valid ModelProto");
  }

  const DeviceConfiguration& configuration_;
  const ByOutput& by_output_;
  Pieces model_;
  bool external_ = false;
};

}  // namespace

Result<void> AnnotateOnnx(const std::filesystem::path& from, const std::filesystem::path& to,
                          const DeviceConfiguration& configuration, const ByOutput& by_output) {
  TRY_ASSIGN(const std::shared_ptr<const MappedFile> mapped, MappedFile::Open(from));
  return Annotator(configuration, by_output).Run(mapped->bytes(), from, to);
}

}  // namespace tessera::graph
