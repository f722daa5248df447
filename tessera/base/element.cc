#include "tessera/base/element.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

namespace tessera {
namespace {

template <class T>
T Load(const std::byte* at) {
  T value;
  std::memcpy(&value, at, sizeof(T));
  return value;
}

template <class T>
void Store(std::byte* at, T value) {
  std::memcpy(at, &value, sizeof(T));
}

template <class T>
ElementAccess Plain() {
  return {sizeof(T), [](const std::byte* at) { return static_cast<double>(Load<T>(at)); },
          [](std::byte* at, double value) { Store(at, static_cast<T>(value)); }};
}

ElementAccess Bool() {
  return {1, [](const std::byte* at) { return Load<uint8_t>(at) == 0 ? 0.0 : 1.0; },
          [](std::byte* at, double value) { Store<uint8_t>(at, value == 0 ? 0 : 1); }};
}

// IEEE 754 binary16: 1 sign, 5 exponent (bias 15) and 10 mantissa bits.
double ReadHalf(const std::byte* at) {
  const auto bits = Load<uint16_t>(at);
  const int exponent = (bits >> 10) & 31;
  const int mantissa = bits & 1023;
  double magnitude = 0;
  if (exponent == 31) {
    magnitude = mantissa == 0 ? HUGE_VAL : std::nan("");
  } else {
    magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

void WriteHalf(std::byte* at, double value) {
  if (std::isnan(value)) return Store<uint16_t>(at, 0x7e00);
  const auto sign = static_cast<uint16_t>(std::signbit(value) ? 0x8000 : 0);
  int exponent = 0;
  const double fraction = std::frexp(std::abs(value), &exponent);  // in [0.5, 1)
  double bits = 0;
  if (fraction == 0 || exponent < -13) {
    bits = std::nearbyint(std::ldexp(std::abs(value), 24));  // zero or subnormal
  } else {
    // A mantissa that rounds up to 2048 carries into the exponent, as it should.
    bits = (exponent + 14) * 1024.0 + std::nearbyint(fraction * 2048) - 1024;
  }
  constexpr double kInfinity = 0x7c00;
  Store<uint16_t>(at, static_cast<uint16_t>(sign | static_cast<uint16_t>(std::min(bits, kInfinity))));
}

// The upper half of an f32.
double ReadBFloat16(const std::byte* at) {
  return std::bit_cast<float>(static_cast<uint32_t>(Load<uint16_t>(at)) << 16);
}

void WriteBFloat16(std::byte* at, double value) {
  if (std::isnan(value)) return Store<uint16_t>(at, 0x7fc0);  // rounding could carry it to zero
  const auto bits = std::bit_cast<uint32_t>(static_cast<float>(value));
  Store<uint16_t>(at, static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16));  // to nearest even
}

}  // namespace

Result<ElementAccess> AccessOf(DType type) {
  switch (type) {
    case DType::kFloat32:
      return Plain<float>();
    case DType::kFloat64:
      return Plain<double>();
    case DType::kFloat16:
      return ElementAccess{2, ReadHalf, WriteHalf};
    case DType::kBFloat16:
      return ElementAccess{2, ReadBFloat16, WriteBFloat16};
    case DType::kInt8:
      return Plain<int8_t>();
    case DType::kInt16:
      return Plain<int16_t>();
    case DType::kInt32:
      return Plain<int32_t>();
    case DType::kInt64:
      return Plain<int64_t>();
    case DType::kUInt8:
      return Plain<uint8_t>();
    case DType::kUInt16:
      return Plain<uint16_t>();
    case DType::kUInt32:
      return Plain<uint32_t>();
    case DType::kUInt64:
      return Plain<uint64_t>();
    case DType::kBool:
      return Bool();
    default:
      return Fail(Code::kUnsupported, "no numbers can be made of element type {}", DTypeName(type));
  }
}

}  // namespace tessera
