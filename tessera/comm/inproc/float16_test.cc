#include "tessera/comm/inproc/float16.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

namespace tessera::comm {
namespace {

constexpr uint32_t kCodes = 1U << 16;

// What a 16-bit float means, by the definition of the format.
double Meaning(uint16_t code, int exponent_bits) {
  const int fraction_bits = 15 - exponent_bits;
  const int bias = (1 << (exponent_bits - 1)) - 1;
  const int exponent = (code & 0x7FFF) >> fraction_bits;
  const int fraction = code & ((1 << fraction_bits) - 1);
  const double sign = (code & 0x8000) != 0 ? -1 : 1;
  if (exponent == (1 << exponent_bits) - 1) {
    return fraction != 0 ? std::nan("") : sign * std::numeric_limits<double>::infinity();
  }
  if (exponent == 0) return sign * std::ldexp(fraction, 1 - bias - fraction_bits);
  return sign * std::ldexp(fraction + (1 << fraction_bits), exponent - bias - fraction_bits);
}

struct Format {
  int exponent_bits;
  float (*decode)(uint16_t);
  uint16_t (*encode)(float);
};

class Float16 : public testing::TestWithParam<Format> {
 protected:
  double Of(uint32_t code) const { return Meaning(static_cast<uint16_t>(code), GetParam().exponent_bits); }
};

TEST_P(Float16, EveryCodeMeansWhatTheFormatSays) {
  for (uint32_t code = 0; code < kCodes; ++code) {
    const double got = GetParam().decode(static_cast<uint16_t>(code));
    if (std::isnan(Of(code))) {
      EXPECT_TRUE(std::isnan(got)) << code;
    } else {
      EXPECT_EQ(got, Of(code)) << code;
      EXPECT_EQ(std::signbit(got), std::signbit(Of(code))) << code;
    }
  }
}

TEST_P(Float16, EveryCodeComesBack) {
  for (uint32_t code = 0; code < kCodes; ++code) {
    if (std::isnan(Of(code))) {
      EXPECT_TRUE(std::isnan(Of(GetParam().encode(GetParam().decode(static_cast<uint16_t>(code)))))) << code;
    } else {
      EXPECT_EQ(GetParam().encode(GetParam().decode(static_cast<uint16_t>(code))), code);
    }
  }
}

// Between two neighbours: just below the middle goes down, the middle to the even one, just above goes up.
TEST_P(Float16, RoundsToNearestAndTiesToEven) {
  const uint32_t infinity = ((1U << GetParam().exponent_bits) - 1) << (15 - GetParam().exponent_bits);
  for (uint32_t low = 0; low + 1 < infinity; ++low) {
    const float middle = static_cast<float>((Of(low) + Of(low + 1)) / 2);
    const uint32_t even = low % 2 == 0 ? low : low + 1;
    ASSERT_EQ(GetParam().encode(std::nextafter(middle, 0.0F)), low) << middle;
    ASSERT_EQ(GetParam().encode(middle), even) << middle;
    ASSERT_EQ(GetParam().encode(std::nextafter(middle, HUGE_VALF)), low + 1) << middle;
    ASSERT_EQ(GetParam().encode(-middle), even | 0x8000U) << middle;
  }
}

TEST_P(Float16, WhatIsTooLargeBecomesInfinity) {
  EXPECT_TRUE(std::isinf(Of(GetParam().encode(std::numeric_limits<float>::max()))));
  EXPECT_TRUE(std::isinf(Of(GetParam().encode(std::numeric_limits<float>::infinity()))));
  EXPECT_LT(Of(GetParam().encode(-std::numeric_limits<float>::infinity())), 0);
}

TEST_P(Float16, NansStayNansWhateverTheirPayload) {
  for (uint32_t bits : {0x7F800001U, 0x7FFFFFFFU, 0xFFC00000U, 0x7F80FFFFU}) {
    EXPECT_TRUE(std::isnan(Of(GetParam().encode(std::bit_cast<float>(bits))))) << bits;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, Float16,
                         testing::Values(Format{5, FloatOfHalf, HalfOfFloat},
                                         Format{8, FloatOfBFloat16, BFloat16OfFloat}),
                         [](const auto& format) {
                           return format.param.exponent_bits == 5 ? "Half" : "BFloat16";
                         });

}  // namespace
}  // namespace tessera::comm
