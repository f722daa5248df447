// What the conformance suite does not ask of every adapter: overflow, NaN, alignment, long runs.
#include "tessera/comm/inproc/reduce.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <vector>

namespace tessera::comm {
namespace {

// Reduces one array a rank; the result of the first destination, checked to be that of the second too.
template <class T>
std::vector<T> Reduced(DType type, ReduceOp op, const std::vector<std::vector<T>>& ranks) {
  std::vector<const std::byte*> sources;
  for (const auto& rank : ranks) sources.push_back(reinterpret_cast<const std::byte*>(rank.data()));
  std::vector<T> first(ranks[0].size()), second(ranks[0].size());
  const std::array destinations{reinterpret_cast<std::byte*>(first.data()),
                                reinterpret_cast<std::byte*>(second.data())};
  Reduce(type, op, sources, destinations, first.size());
  EXPECT_EQ(std::memcmp(first.data(), second.data(), first.size() * sizeof(T)), 0);
  return first;
}

TEST(Reduce, IntegersWrapAround) {
  EXPECT_EQ(Reduced<int8_t>(DType::kInt8, ReduceOp::kSum, {{127, -128}, {1, -1}}),
            (std::vector<int8_t>{-128, 127}));
  EXPECT_EQ(Reduced<int8_t>(DType::kInt8, ReduceOp::kProd, {{100}, {3}}), (std::vector<int8_t>{44}));
  constexpr int32_t kMax32 = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(Reduced<int32_t>(DType::kInt32, ReduceOp::kSum, {{kMax32}, {1}}),
            (std::vector<int32_t>{std::numeric_limits<int32_t>::min()}));
  EXPECT_EQ(Reduced<int32_t>(DType::kInt32, ReduceOp::kProd, {{kMax32}, {kMax32}, {kMax32}}),
            (std::vector<int32_t>{kMax32}));
  constexpr int64_t kMax64 = std::numeric_limits<int64_t>::max();
  EXPECT_EQ(Reduced<int64_t>(DType::kInt64, ReduceOp::kSum, {{kMax64}, {1}}),
            (std::vector<int64_t>{std::numeric_limits<int64_t>::min()}));
  EXPECT_EQ(Reduced<int64_t>(DType::kInt64, ReduceOp::kProd, {{kMax64}, {kMax64}}),
            (std::vector<int64_t>{1}));
}

TEST(Reduce, AverageIsThatOfTheExactSumTowardZero) {
  EXPECT_EQ(Reduced<int8_t>(DType::kInt8, ReduceOp::kAvg, {{127, -3}, {127, 0}}),
            (std::vector<int8_t>{127, -1}));
  constexpr int32_t kMax32 = std::numeric_limits<int32_t>::max();
  EXPECT_EQ(Reduced<int32_t>(DType::kInt32, ReduceOp::kAvg, {{kMax32}, {kMax32}}),
            (std::vector<int32_t>{kMax32}));
}

TEST(Reduce, AnyByteButZeroIsTrue) {
  const std::vector<std::vector<uint8_t>> ranks{{0, 2, 0x80, 0}, {0, 0, 1, 0xFF}};
  EXPECT_EQ(Reduced(DType::kBool, ReduceOp::kSum, ranks), (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(Reduced(DType::kBool, ReduceOp::kMax, ranks), (std::vector<uint8_t>{0, 1, 1, 1}));
  EXPECT_EQ(Reduced(DType::kBool, ReduceOp::kProd, ranks), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(Reduced(DType::kBool, ReduceOp::kMin, ranks), (std::vector<uint8_t>{0, 0, 1, 0}));
  EXPECT_EQ(Reduced(DType::kBool, ReduceOp::kAvg, ranks), (std::vector<uint8_t>{0, 0, 1, 0}));
}

TEST(Reduce, FloatsKeepInfinityAndNan) {
  const float inf = std::numeric_limits<float>::infinity();
  const auto sums = Reduced<float>(DType::kFloat32, ReduceOp::kSum, {{inf, inf, NAN}, {1, -inf, 1}});
  EXPECT_EQ(sums[0], inf);
  EXPECT_TRUE(std::isnan(sums[1]));
  EXPECT_TRUE(std::isnan(sums[2]));
}

TEST(Reduce, HalfSumsMayPassTheLargestHalfInBetween) {
  const uint16_t large = 0x7BFF;  // 65504
  EXPECT_EQ(Reduced<uint16_t>(DType::kFloat16, ReduceOp::kSum, {{large}, {large}, {0xFBFF}}),
            (std::vector<uint16_t>{large}));
  EXPECT_EQ(Reduced<uint16_t>(DType::kFloat16, ReduceOp::kAvg, {{large}, {large}}),
            (std::vector<uint16_t>{large}));
}

TEST(Reduce, WantsNoAlignment) {
  std::array<std::byte, 65> memory{};
  const std::array<float, 4> values{1, 2, 3, 4};
  std::memcpy(memory.data() + 1, values.data(), sizeof(values));
  const std::array<const std::byte*, 2> sources{memory.data() + 1, memory.data() + 1};
  const std::array<std::byte*, 1> destination{memory.data() + 33};
  Reduce(DType::kFloat32, ReduceOp::kSum, sources, destination, values.size());
  std::array<float, 4> got{};
  std::memcpy(got.data(), memory.data() + 33, sizeof(got));
  EXPECT_EQ(got, (std::array<float, 4>{2, 4, 6, 8}));
}

TEST(Reduce, GoesOnBeyondARun) {
  std::vector<int32_t> numbers(3000);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<int32_t>(i);
  const auto sums = Reduced<int32_t>(DType::kInt32, ReduceOp::kSum, {numbers, numbers, numbers});
  for (size_t i = 0; i < sums.size(); ++i) ASSERT_EQ(sums[i], 3 * numbers[i]);
}

}  // namespace
}  // namespace tessera::comm
