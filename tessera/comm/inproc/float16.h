// 16-bit floats to f32 and back, rounding to nearest even. Branch-free, so that the compiler makes vectors of
// the loops around them, and without f32 subnormals, which an engine's threads may flush to zero. Source:
// IEEE 754-2019, 3.4 (binary16); bfloat16 is the upper half of a binary32.
#pragma once

#include <bit>
#include <cstdint>

namespace tessera::comm {

// A choice that the compiler cannot turn into a branch (which it does as soon as one side is float
// arithmetic).
inline uint32_t Choose(bool first, uint32_t a, uint32_t b) {
  const uint32_t mask = 0U - static_cast<uint32_t>(first);
  return (a & mask) | (b & ~mask);
}

inline float FloatOfHalf(uint16_t half) {
  constexpr uint32_t kExponent = 0x7C00U << 13;  // of a half, at its place in a float
  constexpr uint32_t kRebias = (127U - 15U) << 23;
  const uint32_t shifted = (half & 0x7FFFU) << 13;
  const uint32_t exponent = shifted & kExponent;
  const uint32_t normal = shifted + kRebias;
  const uint32_t special = normal + kRebias;  // infinity and NaN: the largest exponent
  // A subnormal is its fraction at the scale of the smallest normal half: give it that exponent, take the one
  // off.
  const uint32_t smallest = (127U - 14U) << 23;
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(shifted + smallest) - std::bit_cast<float>(smallest));
  const uint32_t magnitude = Choose(exponent == 0, subnormal, Choose(exponent == kExponent, special, normal));
  return std::bit_cast<float>(magnitude | (half & 0x8000U) << 16);
}

inline uint16_t HalfOfFloat(float value) {
  constexpr uint32_t kInfinity = 255U << 23;
  constexpr uint32_t kTooLarge = (127U + 16U) << 23;        // from here on infinity
  constexpr uint32_t kSmallestNormal = (127U - 14U) << 23;  // below, a half is subnormal
  constexpr uint32_t kAlign = (127U - 15U + 23U - 10U + 1U)
                              << 23;  // adding it shifts a subnormal to its place
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const uint32_t magnitude = bits & 0x7FFFFFFFU;
  const uint32_t special = Choose(magnitude > kInfinity, 0x7E00U, 0x7C00U);
  const uint32_t subnormal =
      std::bit_cast<uint32_t>(std::bit_cast<float>(magnitude) + std::bit_cast<float>(kAlign)) - kAlign;
  // Half a unit less one, plus one more when the last bit kept is odd: ties go to even. A carry moves the
  // exponent.
  const uint32_t normal = (magnitude - ((127U - 15U) << 23) + 0xFFFU + ((magnitude >> 13) & 1U)) >> 13;
  const uint32_t half =
      Choose(magnitude >= kTooLarge, special, Choose(magnitude < kSmallestNormal, subnormal, normal));
  return static_cast<uint16_t>(half | (bits & 0x80000000U) >> 16);
}

inline float FloatOfBFloat16(uint16_t half) {
  return std::bit_cast<float>(static_cast<uint32_t>(half) << 16);
}

inline uint16_t BFloat16OfFloat(float value) {
  const uint32_t bits = std::bit_cast<uint32_t>(value);
  const bool nan = (bits & 0x7FFFFFFFU) > (255U << 23);
  const uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16) & 1U)) >> 16;
  return static_cast<uint16_t>(Choose(nan, (bits >> 16) | 0x40U, rounded));  // a NaN stays one, and quiet
}

}  // namespace tessera::comm
