// Walks a serialized protobuf message field by field, in place: so that weights are found in a mapped model
// and never copied. Source: protobuf.dev, "Encoding".
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::graph {

inline constexpr uint32_t kLengthDelimited = 2;

struct WireField {
  uint32_t number = 0;
  uint32_t wire_type = 0;
  Bytes whole;    // with its tag and length
  Bytes payload;  // of a kLengthDelimited field
};

class WireReader {
 public:
  explicit WireReader(Bytes message) : rest_(message) {}

  // The next field; false at the end and at a malformed one, see malformed().
  bool Next(WireField& field);
  bool malformed() const { return malformed_; }

 private:
  bool ReadVarint(uint64_t& value);
  bool Skip(uint64_t count);
  bool ReadField(WireField& field);

  Bytes rest_;
  bool malformed_ = false;
};

// Tag and length of a length-delimited field, to be followed by its payload.
std::string WireHeader(uint32_t number, uint64_t length);

inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
inline Bytes AsBytes(std::string_view text) {
  return std::as_bytes(std::span(text));
}

// A serialized ModelProto taken apart.
struct WireModel {
  std::string skeleton;             // the model without graph.initializer
  std::vector<Bytes> initializers;  // each a serialized TensorProto inside the model's bytes
};

// Errors: kInvalidArgument (not a protobuf message).
Result<WireModel> TakeApart(Bytes model);

// A serialized TensorProto taken apart.
struct WireTensor {
  std::string skeleton;  // the tensor without raw_data
  bool has_raw = false;
  Bytes raw;  // raw_data, inside the tensor's bytes
};

Result<WireTensor> TakeTensorApart(Bytes tensor);

}  // namespace tessera::graph
