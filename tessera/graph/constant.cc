#include <cstring>

#include "tessera/graph/graph.h"

namespace tessera::graph {
namespace {

template <class Number>
std::vector<int64_t> Widen(Bytes bytes) {
  std::vector<int64_t> wide(bytes.size() / sizeof(Number));
  for (size_t i = 0; i < wide.size(); ++i) {
    Number number;
    std::memcpy(&number, bytes.data() + i * sizeof(Number), sizeof(Number));  // the bytes may be unaligned
    wide[i] = static_cast<int64_t>(number);  // NOLINT(bugprone-signed-char-misuse): int8 is a number here
  }
  return wide;
}

// Elements of 2 or 4 bits, the first in the lowest bits of the first byte.
std::vector<int64_t> Unpack(Bytes bytes, int bits, bool is_signed, int64_t count) {
  std::vector<int64_t> wide(static_cast<size_t>(count));
  const auto per_byte = static_cast<size_t>(8 / bits);
  const int64_t mask = (int64_t{1} << bits) - 1;
  for (size_t i = 0; i < wide.size(); ++i) {
    const int shift = static_cast<int>(i % per_byte) * bits;
    int64_t number = (std::to_integer<int64_t>(bytes[i / per_byte]) >> shift) & mask;
    if (is_signed && (number >> (bits - 1)) != 0) number -= mask + 1;
    wide[i] = number;
  }
  return wide;
}

}  // namespace

Constant Constant::OfInt64(const std::vector<int64_t>& values, Shape shape) {
  const Bytes bytes = std::as_bytes(std::span(values));
  return OfBytes(DType::kInt64, std::move(shape), {bytes.begin(), bytes.end()});
}

Constant Constant::OfBytes(DType type, Shape shape, std::vector<std::byte> bytes) {
  auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  Constant constant;
  constant.type = type;
  constant.shape = std::move(shape);
  constant.bytes = *owner;
  constant.owner = std::move(owner);
  return constant;
}

std::optional<std::vector<int64_t>> AsInt64(const Constant& constant) {
  if (constant.raw != nullptr) return std::nullopt;
  const Bytes bytes = constant.bytes;
  const auto unpack = [&](int bits, bool is_signed) {
    return Unpack(bytes, bits, is_signed, ElementCount(constant.shape));
  };
  switch (constant.type) {
    case DType::kBool:
    case DType::kUInt8:
      return Widen<uint8_t>(bytes);
    case DType::kInt8:
      return Widen<int8_t>(bytes);
    case DType::kUInt16:
      return Widen<uint16_t>(bytes);
    case DType::kInt16:
      return Widen<int16_t>(bytes);
    case DType::kUInt32:
      return Widen<uint32_t>(bytes);
    case DType::kInt32:
      return Widen<int32_t>(bytes);
    case DType::kUInt64:
      return Widen<uint64_t>(bytes);
    case DType::kInt64:
      return Widen<int64_t>(bytes);
    case DType::kInt4:
      return unpack(4, true);
    case DType::kUInt4:
      return unpack(4, false);
    case DType::kInt2:
      return unpack(2, true);
    case DType::kUInt2:
      return unpack(2, false);
    default:
      return std::nullopt;
  }
}

}  // namespace tessera::graph
