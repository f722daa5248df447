#include "tessera/graph/tensor_reader.h"

#include <charconv>
#include <cstring>

#include "tessera/graph/element_types.h"

namespace tessera::graph {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> WrongSize(const std::string& tensor, const Constant& constant, uint64_t got,
                                uint64_t wanted) {
  return Fail(Code::kInvalidArgument, "tensor '{}' has {} bytes, {} {} wants {}", tensor, got,
              ToString(constant.shape), DTypeName(constant.type), wanted);
}

// Bytes of the tensor, with a file's dimensions not yet trusted.
Result<uint64_t> WantedBytes(const std::string& tensor, const Constant& constant) {
  uint64_t bits = static_cast<uint64_t>(BitsOf(constant.type));
  bool overflow = false;
  bool empty = false;
  for (int64_t d : constant.shape) {
    if (d < 0) {
      return Fail(Code::kInvalidArgument, "tensor '{}' has shape {}", tensor, ToString(constant.shape));
    }
    empty = empty || d == 0;
    overflow = __builtin_mul_overflow(bits, static_cast<uint64_t>(d), &bits) || overflow;
  }
  if (empty) return uint64_t{0};
  if (overflow || bits > INT64_MAX - 7) {
    return Fail(Code::kInvalidArgument, "tensor '{}' is too large: {}", tensor, ToString(constant.shape));
  }
  return (bits + 7) / 8;
}

template <class Stored, class Field>
std::vector<std::byte> Narrow(const Field& field) {
  std::vector<std::byte> bytes(static_cast<size_t>(field.size()) * sizeof(Stored));
  for (int i = 0; i < field.size(); ++i) {
    const auto stored = static_cast<Stored>(field.Get(i));
    std::memcpy(bytes.data() + static_cast<size_t>(i) * sizeof(Stored), &stored, sizeof(Stored));
  }
  return bytes;
}

// The typed fields hold one entry an element (complex: two; below a byte: one for each byte's worth).
std::vector<std::byte> TypedData(const pb::TensorProto& tensor, DType type) {
  switch (type) {
    case DType::kFloat32:
    case DType::kComplex64:
      return Narrow<float>(tensor.float_data());
    case DType::kFloat64:
    case DType::kComplex128:
      return Narrow<double>(tensor.double_data());
    case DType::kInt64:
      return Narrow<int64_t>(tensor.int64_data());
    case DType::kUInt64:
      return Narrow<uint64_t>(tensor.uint64_data());
    case DType::kUInt32:
      return Narrow<uint32_t>(tensor.uint64_data());
    case DType::kInt32:
      return Narrow<int32_t>(tensor.int32_data());
    case DType::kInt16:
    case DType::kUInt16:
    case DType::kFloat16:
    case DType::kBFloat16:
      return Narrow<uint16_t>(tensor.int32_data());
    default:
      return Narrow<uint8_t>(tensor.int32_data());
  }
}

// What Constant does not hold: documentation, metadata, fields of a newer schema.
std::string Rest(pb::TensorProto tensor) {
  tensor.clear_name();
  tensor.clear_dims();
  tensor.clear_data_type();
  tensor.clear_raw_data();
  tensor.clear_float_data();
  tensor.clear_double_data();
  tensor.clear_int32_data();
  tensor.clear_int64_data();
  tensor.clear_uint64_data();
  tensor.clear_external_data();
  tensor.clear_data_location();
  return tensor.SerializeAsString();
}

Result<uint64_t> ParseNumber(const std::string& tensor, const std::string& key, const std::string& text) {
  uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{} || stop != end) {
    return Fail(Code::kInvalidArgument, "tensor '{}': external data has {} '{}', wanted a number of bytes",
                tensor, key, text);
  }
  return number;
}

struct Location {
  std::string file;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
};

Result<Location> ParseLocation(const pb::TensorProto& tensor) {
  Location location;
  for (const auto& entry : tensor.external_data()) {
    if (entry.key() == "location") location.file = entry.value();
    if (entry.key() == "offset") {
      TRY_ASSIGN(location.offset, ParseNumber(tensor.name(), entry.key(), entry.value()));
    }
    if (entry.key() == "length") {
      TRY_ASSIGN(location.length, ParseNumber(tensor.name(), entry.key(), entry.value()));
    }
  }
  return location;
}

// A model must not reach files outside of its directory.
bool StaysInside(const fs::path& location) {
  if (location.empty() || location.is_absolute() || location.has_root_path()) return false;
  for (const auto& part : location) {
    if (part == "..") return false;
  }
  return location.native().find('\0') == std::string::npos;
}

// Strings, types of a newer schema, pieces: the message as it came.
Result<Constant> KeptWhole(pb::TensorProto& tensor, Constant constant, std::optional<Bytes> raw) {
  if (tensor.data_location() == pb::TensorProto::EXTERNAL) {
    return Fail(Code::kUnsupported, "tensor '{}': external data of element type {}", tensor.name(),
                tensor.data_type());
  }
  if (raw) tensor.set_raw_data(raw->data(), raw->size());
  constant.raw = std::make_shared<const std::string>(tensor.SerializeAsString());
  return constant;
}

}  // namespace

Result<std::shared_ptr<const MappedFile>> TensorReader::Map(const std::string& tensor,
                                                            const std::string& location) {
  auto& mapped = mapped_[location];
  if (mapped != nullptr) return mapped;
  if (!StaysInside(location)) {
    return Fail(Code::kInvalidArgument,
                "tensor '{}': external data at '{}', wanted a file in the model's directory", tensor,
                location);
  }
  auto opened = MappedFile::Open(directory_ / location);
  if (!opened) {
    return Fail(Code::kInvalidArgument, "tensor '{}': external data: {}", tensor, opened.error().message);
  }
  mapped = *std::move(opened);
  return mapped;
}

Result<Constant> TensorReader::ReadExternal(const pb::TensorProto& tensor, Constant constant,
                                            uint64_t wanted) {
  TRY_ASSIGN(const Location location, ParseLocation(tensor));
  if (location.length.value_or(wanted) != wanted) {
    return WrongSize(tensor.name(), constant, *location.length, wanted);
  }
  TRY_ASSIGN(auto file, Map(tensor.name(), location.file));
  const uint64_t size = file->bytes().size();
  const uint64_t got = location.offset > size ? 0 : size - location.offset;
  if (got < wanted) {
    return Fail(Code::kInvalidArgument,
                "tensor '{}': external data '{}' is truncated: {} bytes from offset {}, wanted {}",
                tensor.name(), (directory_ / location.file).string(), got, location.offset, wanted);
  }
  constant.bytes = file->bytes().subspan(location.offset, wanted);
  constant.owner = std::move(file);
  return constant;
}

Result<Constant> TensorReader::Read(pb::TensorProto tensor, std::optional<Bytes> raw,
                                    std::shared_ptr<const void> owner) {
  Constant constant;
  constant.type = FromOnnxType(tensor.data_type());
  constant.shape.assign(tensor.dims().begin(), tensor.dims().end());
  TRY_ASSIGN(const uint64_t wanted, WantedBytes(tensor.name(), constant));
  if (tensor.data_type() == pb::TensorProto::UNDEFINED) {
    return Fail(Code::kInvalidArgument, "tensor '{}' has no element type", tensor.name());
  }
  if (BitsOf(constant.type) == 0 || tensor.has_segment()) return KeptWhole(tensor, std::move(constant), raw);
  if (!raw && tensor.has_raw_data()) {
    auto taken = std::make_shared<const std::string>(std::move(*tensor.mutable_raw_data()));
    raw = std::as_bytes(std::span(*taken));
    owner = std::move(taken);
  }
  const auto finish = [&](Constant done) -> Result<Constant> {
    done.rest = Rest(std::move(tensor));
    return done;
  };
  if (tensor.data_location() == pb::TensorProto::EXTERNAL) {
    TRY_ASSIGN(constant, ReadExternal(tensor, std::move(constant), wanted));
    return finish(std::move(constant));
  }
  if (raw) {
    constant.bytes = *raw;
    constant.owner = std::move(owner);
  } else {
    constant = Constant::OfBytes(constant.type, constant.shape, TypedData(tensor, constant.type));
  }
  if (constant.bytes.size() != wanted)
    return WrongSize(tensor.name(), constant, constant.bytes.size(), wanted);
  return finish(std::move(constant));
}

Result<void> TensorReader::Embed(pb::TensorProto& tensor) {
  if (tensor.data_location() != pb::TensorProto::EXTERNAL) return {};
  TRY_ASSIGN(const Constant constant, Read(tensor));
  tensor.clear_external_data();
  tensor.clear_data_location();
  tensor.set_raw_data(constant.bytes.data(), constant.bytes.size());
  return {};
}

Result<void> TensorReader::Embed(pb::AttributeProto& attribute) {
  if (attribute.has_t()) TRY(Embed(*attribute.mutable_t()));
  for (auto& tensor : *attribute.mutable_tensors()) TRY(Embed(tensor));
  if (attribute.has_g()) TRY(Embed(*attribute.mutable_g()));
  for (auto& graph : *attribute.mutable_graphs()) TRY(Embed(graph));
  return {};
}

Result<void> TensorReader::Embed(pb::NodeProto& node) {
  for (auto& attribute : *node.mutable_attribute()) TRY(Embed(attribute));
  return {};
}

Result<void> TensorReader::Embed(pb::GraphProto& graph) {
  for (auto& tensor : *graph.mutable_initializer()) TRY(Embed(tensor));
  for (auto& node : *graph.mutable_node()) TRY(Embed(node));
  return {};
}

}  // namespace tessera::graph
