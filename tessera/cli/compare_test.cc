#include "tessera/cli/compare.h"

#include <cmath>
#include <cstring>
#include <limits>

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();
constexpr float kInf = std::numeric_limits<float>::infinity();

HostTensor Floats(std::vector<float> values) {
  HostTensor tensor = *MakeTensor({"y", DType::kFloat32, {static_cast<int64_t>(values.size())}});
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

TEST(Compare, MaxRelIsRelativeToTheLargestReferenceElement) {
  const auto difference = Compare(Floats({1.5F, 0, -4}), Floats({1, 0.25F, -4}));
  ASSERT_TRUE(difference);
  EXPECT_DOUBLE_EQ(difference->max_abs, 0.5);
  EXPECT_DOUBLE_EQ(difference->max_rel, 0.125);
}

TEST(Compare, AgainstZerosRelIsAbsolute) {
  EXPECT_DOUBLE_EQ(Compare(Floats({0.25F, 0}), Floats({0, 0}))->max_rel, 0.25);
}

TEST(Compare, NanEqualsOnlyNanAndInfinityOnlyItself) {
  EXPECT_EQ(Compare(Floats({kNan, kInf, 1}), Floats({kNan, kInf, 1}))->max_abs, 0);
  EXPECT_TRUE(std::isinf(Compare(Floats({kNan, 1}), Floats({1, 1}))->max_rel));
  EXPECT_TRUE(std::isinf(Compare(Floats({1, 1}), Floats({kNan, 1}))->max_rel));
  EXPECT_TRUE(std::isinf(Compare(Floats({kInf, 1}), Floats({-kInf, 1}))->max_rel));
  EXPECT_TRUE(std::isinf(Compare(Floats({3}), Floats({kInf}))->max_rel));
}

TEST(Compare, EmptyTensorsAreEqual) {
  EXPECT_EQ(Compare(Floats({}), Floats({}))->max_abs, 0);
}

TEST(Compare, NamesTheOutputWhoseShapeDiffers) {
  const auto difference = Compare(Floats({1, 2}), Floats({1}));
  ASSERT_FALSE(difference);
  EXPECT_EQ(difference.error().message, "output 'y' is [2], the unsharded model gives [1]");
}

TEST(WithinTolerance, IntegersMayNotDifferAtAll) {
  EXPECT_TRUE(WithinTolerance({1, 1e-6}, DType::kFloat32, 1e-5));
  EXPECT_FALSE(WithinTolerance({1, 1e-6}, DType::kInt64, 1e-5));
  EXPECT_TRUE(WithinTolerance({0, 0}, DType::kInt64, 0));
}

}  // namespace
}  // namespace tessera::cli
