#include "tessera/base/distance.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace tessera {
namespace {

double Between(const std::vector<float>& got, const std::vector<float>& wanted) {
  return *LargestDistance(DType::kFloat32, std::as_bytes(std::span(got)), std::as_bytes(std::span(wanted)));
}

TEST(LargestDistance, IsThatOfTheWorstElement) {
  EXPECT_EQ(Between({1, 2, 3}, {1, 2.5, 3.25}), 0.5);
  EXPECT_EQ(Between({}, {}), 0);
}

TEST(LargestDistance, WhatIsNotFiniteMeetsItselfOnly) {
  EXPECT_EQ(Between({NAN, INFINITY}, {NAN, INFINITY}), 0);
  EXPECT_EQ(Between({NAN}, {0}), INFINITY);
  EXPECT_EQ(Between({INFINITY}, {-INFINITY}), INFINITY);
}

TEST(LargestDistance, TensorsOfDifferentSizesAreAnError) {
  const std::vector<float> three(3);
  EXPECT_FALSE(LargestDistance(DType::kFloat32, std::as_bytes(std::span(three)), {}));
}

TEST(Magnitude, IsTheLargestFiniteOneOrOne) {
  const std::vector<float> values{1, -4, INFINITY, NAN};
  EXPECT_EQ(*Magnitude(DType::kFloat32, std::as_bytes(std::span(values))), 4);
  EXPECT_EQ(*Magnitude(DType::kFloat32, {}), 1);
}

}  // namespace
}  // namespace tessera
