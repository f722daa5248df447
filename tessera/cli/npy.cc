#include <array>
#include <charconv>
#include <cstring>

#include "tessera/cli/npz.h"

namespace tessera::cli {
namespace {

constexpr std::string_view kMagic = "\x93NUMPY";

struct Descr {
  std::string_view text;
  DType type;
};
constexpr std::array<Descr, 12> kDescrs{{{"<f4", DType::kFloat32},
                                         {"<f2", DType::kFloat16},
                                         {"<f8", DType::kFloat64},
                                         {"|i1", DType::kInt8},
                                         {"<i2", DType::kInt16},
                                         {"<i4", DType::kInt32},
                                         {"<i8", DType::kInt64},
                                         {"|u1", DType::kUInt8},
                                         {"<u2", DType::kUInt16},
                                         {"<u4", DType::kUInt32},
                                         {"<u8", DType::kUInt64},
                                         {"|b1", DType::kBool}}};

// The text behind "'key':" in the header, a Python dict literal, without leading blanks; empty when absent.
std::string_view FieldOf(std::string_view header, std::string_view key) {
  const std::string quoted = fmt::format("'{}':", key);
  const size_t at = header.find(quoted);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + quoted.size());
  header.remove_prefix(std::min(header.find_first_not_of(' '), header.size()));
  return header;
}

Result<DType> TypeOf(std::string_view name, std::string_view header) {
  std::string_view field = FieldOf(header, "descr");
  for (const Descr& descr : kDescrs) {
    if (field.size() > 5 && field.substr(1, 3) == descr.text && field[4] == field[0]) return descr.type;
  }
  return Fail(Code::kInvalidArgument,
              "array '{}' has dtype {}; wanted is bool, an integer or a float, little endian", name,
              field.substr(0, field.find(',')));
}

// "(2, 16)", "(5,)", "()"
Result<Shape> ShapeOf(std::string_view name, std::string_view header) {
  std::string_view field = FieldOf(header, "shape");
  const size_t close = field.find(')');
  if (field.empty() || field[0] != '(' || close == std::string_view::npos) {
    return Fail(Code::kInvalidArgument, "array '{}' has no shape in its header", name);
  }
  Shape shape;
  const char* at = field.data() + 1;
  const char* end = field.data() + close;
  while (at != end) {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    int64_t size = 0;
    auto [next, error] = std::from_chars(at, end, size);
    if (error != std::errc() || size < 0) {
      return Fail(Code::kInvalidArgument, "array '{}' has the shape {}", name, field.substr(0, close + 1));
    }
    shape.push_back(size);
    at = next;
  }
  return shape;
}

// Splits off the header: version 1 has a length of two bytes, later ones of four.
Result<std::string_view> TakeHeader(std::string_view name, Bytes& content) {
  std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
  const bool has_magic = text.size() >= 12 && text.substr(0, kMagic.size()) == kMagic;
  if (!has_magic) return Fail(Code::kInvalidArgument, "array '{}' is not in npy format", name);
  const size_t width = text[6] == 1 ? 2 : 4;
  size_t length = 0;
  std::memcpy(&length, text.data() + 8, width);
  if (length > text.size() - 8 - width) {
    return Fail(Code::kInvalidArgument, "array '{}' is truncated inside its header", name);
  }
  content = content.subspan(8 + width + length);
  return text.substr(8 + width, length);
}

// The bytes that a tensor of this shape takes, or nothing if the count overflows.
std::optional<uint64_t> DenseBytes(DType type, const Shape& shape) {
  uint64_t bytes = static_cast<uint64_t>(BitsOf(type)) / 8;
  for (int64_t size : shape) {
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(size), &bytes)) return std::nullopt;
  }
  return bytes;
}

}  // namespace

Result<HostTensor> ParseNpy(std::string_view name, Bytes content) {
  TRY_ASSIGN(std::string_view header, TakeHeader(name, content));
  TRY_ASSIGN(DType type, TypeOf(name, header));
  TRY_ASSIGN(Shape shape, ShapeOf(name, header));
  if (FieldOf(header, "fortran_order").substr(0, 5) != "False") {
    return Fail(Code::kInvalidArgument, "array '{}' is in Fortran order; wanted is C order", name);
  }
  const auto wanted = DenseBytes(type, shape);
  if (!wanted || content.size() != *wanted) {
    return Fail(Code::kInvalidArgument, "array '{}' of shape {} has {} bytes, wanted {}", name,
                ToString(shape), content.size(), wanted.value_or(UINT64_MAX));
  }
  HostTensor tensor;
  tensor.spec.name = name;
  tensor.spec.type = type;
  tensor.spec.shape = std::move(shape);
  tensor.bytes.assign(content.begin(), content.end());
  return tensor;
}

}  // namespace tessera::cli
