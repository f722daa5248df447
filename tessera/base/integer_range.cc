#include "tessera/base/integer_range.h"

#include <cstdint>
#include <cstring>
#include <limits>

namespace tessera {
namespace {

template <class Integer>
Integer At(const std::byte* data, size_t index) {
  Integer value;
  std::memcpy(&value, data + index * sizeof(value), sizeof(value));
  return value;
}

template <class Integer>
bool Fits(Integer value) {
  return static_cast<Integer>(static_cast<int32_t>(value)) == value &&
         (std::numeric_limits<Integer>::is_signed || value <= Integer{std::numeric_limits<int32_t>::max()});
}

// Over all of a row without a way out: so compilers make vector instructions of it.
template <class Integer>
bool AllFit(const std::byte* row, size_t count) {
  bool fit = true;
  for (size_t i = 0; i < count; ++i) fit &= Fits(At<Integer>(row, i));
  return fit;
}

template <class Integer>
Result<void> Check(const TensorSpec& input, const ConstRegion& data) {
  const size_t count = data.row_bytes / sizeof(Integer);
  for (size_t r = 0; r < data.rows; ++r) {
    const std::byte* row = data.data + r * data.pitch;
    if (AllFit<Integer>(row, count)) continue;
    size_t first = 0;
    while (Fits(At<Integer>(row, first))) ++first;
    return Fail(Code::kInvalidArgument, "input '{}' has the value {}; the engine keeps {} in 32 bits",
                input.name, At<Integer>(row, first), DTypeName(input.type));
  }
  return {};
}

}  // namespace

Result<void> CheckIn32Bits(const TensorSpec& input, const ConstRegion& data) {
  if (!input.in_32_bits) return {};
  return input.type == DType::kUInt64 ? Check<uint64_t>(input, data) : Check<int64_t>(input, data);
}

}  // namespace tessera
