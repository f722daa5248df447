#include "tessera/base/element.h"

#include <cmath>
#include <cstring>

#include <gtest/gtest.h>

namespace tessera {
namespace {

double Read(DType type, uint32_t bits) {
  std::byte bytes[8] = {};
  std::memcpy(bytes, &bits, sizeof(bits));
  return AccessOf(type)->read(bytes);
}

uint16_t Write16(DType type, double value) {
  std::byte bytes[2];
  AccessOf(type)->write(bytes, value);
  uint16_t bits = 0;
  std::memcpy(&bits, bytes, sizeof(bits));
  return bits;
}

TEST(ElementAccess, ReadsHalfAsIeeeSays) {
  EXPECT_EQ(Read(DType::kFloat16, 0x3c00), 1.0);
  EXPECT_EQ(Read(DType::kFloat16, 0xc000), -2.0);
  EXPECT_EQ(Read(DType::kFloat16, 0x0001), std::ldexp(1.0, -24));
  EXPECT_EQ(Read(DType::kFloat16, 0x7bff), 65504.0);
  EXPECT_EQ(Read(DType::kFloat16, 0xfc00), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(Read(DType::kFloat16, 0x7e00)));
}

TEST(ElementAccess, EveryFiniteHalfSurvivesReadAndWrite) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7c00) == 0x7c00) continue;
    ASSERT_EQ(Write16(DType::kFloat16, Read(DType::kFloat16, bits)), bits);
  }
}

TEST(ElementAccess, WritingAHalfRoundsToTheNearest) {
  EXPECT_EQ(Write16(DType::kFloat16, 1 + std::ldexp(1.0, -12)), 0x3c00);
  EXPECT_EQ(Write16(DType::kFloat16, 2 - std::ldexp(1.0, -12)), 0x4000);  // carries into the exponent
  EXPECT_EQ(Write16(DType::kFloat16, 1e9), 0x7c00);
}

TEST(ElementAccess, EveryFiniteBFloat16SurvivesReadAndWrite) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {
    if ((bits & 0x7f80) == 0x7f80) continue;
    ASSERT_EQ(Write16(DType::kBFloat16, Read(DType::kBFloat16, bits)), bits);
  }
}

TEST(ElementAccess, WhatIsNotANumberIsWrittenAsThat) {
  for (const DType type : {DType::kFloat16, DType::kBFloat16}) {
    for (const uint32_t bits : {0x7FC00000U, 0x7F800001U, 0x7FFFFFFFU, 0xFFFFFFFFU}) {
      const double value = Read(DType::kFloat32, bits);
      ASSERT_TRUE(std::isnan(value));
      EXPECT_TRUE(std::isnan(Read(type, Write16(type, value)))) << DTypeName(type) << " " << bits;
    }
  }
}

}  // namespace
}  // namespace tessera
