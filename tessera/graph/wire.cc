#include "tessera/graph/wire.h"

#include "tessera/graph/schema.h"

namespace tessera::graph {
namespace {

constexpr uint32_t kVarint = 0;
constexpr uint32_t kFixed64 = 1;
constexpr uint32_t kFixed32 = 5;

std::string Varint(uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>((value & 0x7f) | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}

tl::unexpected<Error> Malformed(std::string_view what) {
  return Fail(Code::kInvalidArgument, "not ONNX: the {} is no protobuf message", what);
}

Result<void> TakeGraphApart(Bytes graph, std::string& skeleton, std::vector<Bytes>& initializers) {
  WireReader reader(graph);
  WireField field;
  while (reader.Next(field)) {
    if (field.number == pb::GraphProto::kInitializerFieldNumber && field.wire_type == kLengthDelimited) {
      initializers.push_back(field.payload);
    } else {
      skeleton.append(AsText(field.whole));
    }
  }
  if (reader.malformed()) return Malformed("graph");
  return {};
}

}  // namespace

bool WireReader::ReadVarint(uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
    const auto byte = std::to_integer<uint64_t>(rest_.front());
    rest_ = rest_.subspan(1);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool WireReader::Skip(uint64_t count) {
  if (count > rest_.size()) return false;
  rest_ = rest_.subspan(static_cast<size_t>(count));
  return true;
}

bool WireReader::ReadField(WireField& field) {
  uint64_t tag = 0;
  uint64_t length = 0;
  if (!ReadVarint(tag) || tag > UINT32_MAX || (tag >> 3) == 0) return false;
  field.number = static_cast<uint32_t>(tag >> 3);
  field.wire_type = static_cast<uint32_t>(tag & 7);
  field.payload = {};
  switch (field.wire_type) {
    case kVarint:
      return ReadVarint(length);
    case kFixed64:
      return Skip(8);
    case kFixed32:
      return Skip(4);
    case kLengthDelimited: {
      if (!ReadVarint(length)) return false;
      const Bytes from = rest_;
      if (!Skip(length)) return false;
      field.payload = from.first(static_cast<size_t>(length));
      return true;
    }
    default:
      return false;  // groups: ONNX never had any
  }
}

bool WireReader::Next(WireField& field) {
  if (rest_.empty() || malformed_) return false;
  const Bytes start = rest_;
  malformed_ = !ReadField(field);
  field.whole = start.first(start.size() - rest_.size());
  return !malformed_;
}

std::string WireHeader(uint32_t number, uint64_t length) {
  return Varint((uint64_t{number} << 3) | kLengthDelimited) + Varint(length);
}

Result<WireModel> TakeApart(Bytes model) {
  WireModel parts;
  std::string graph;
  bool has_graph = false;
  WireReader reader(model);
  WireField field;
  while (reader.Next(field)) {
    if (field.number == pb::ModelProto::kGraphFieldNumber && field.wire_type == kLengthDelimited) {
      has_graph = true;  // a second one is merged into the first, as protobuf does
      TRY(TakeGraphApart(field.payload, graph, parts.initializers));
    } else {
      parts.skeleton.append(AsText(field.whole));
    }
  }
  if (reader.malformed()) return Malformed("file");
  if (!has_graph) return Fail(Code::kInvalidArgument, "not ONNX: no graph in it");
  parts.skeleton += WireHeader(pb::ModelProto::kGraphFieldNumber, graph.size());
  parts.skeleton += graph;
  return parts;
}

Result<WireTensor> TakeTensorApart(Bytes tensor) {
  WireTensor parts;
  WireReader reader(tensor);
  WireField field;
  while (reader.Next(field)) {
    if (field.number == pb::TensorProto::kRawDataFieldNumber && field.wire_type == kLengthDelimited) {
      parts.has_raw = true;
      parts.raw = field.payload;
    } else {
      parts.skeleton.append(AsText(field.whole));
    }
  }
  if (reader.malformed()) return Malformed("tensor");
  return parts;
}

}  // namespace tessera::graph
