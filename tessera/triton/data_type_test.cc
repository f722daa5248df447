#include "tessera/triton/data_type.h"

#include <gtest/gtest.h>

namespace tessera::triton {
namespace {

TEST(DataType, EveryTypeOfTritonRoundTrips) {
  for (int t = TRITONSERVER_TYPE_BOOL; t <= TRITONSERVER_TYPE_BF16; ++t) {
    auto type = static_cast<TRITONSERVER_DataType>(t);
    EXPECT_EQ(ToTritonType(FromTritonType(type)), type);
    EXPECT_EQ(FromConfigTypeName(ConfigTypeName(FromTritonType(type))), FromTritonType(type));
  }
}

TEST(DataType, StringsHaveTheirOwnNameInTheConfiguration) {
  EXPECT_EQ(ConfigTypeName(DType::kString), "TYPE_STRING");
  EXPECT_EQ(FromConfigTypeName("TYPE_STRING"), DType::kString);
}

TEST(DataType, TypesThatTritonHasNotAreNotServed) {
  EXPECT_FALSE(IsServed(DType::kInt4));
  EXPECT_FALSE(IsServed(DType::kFloat8E4M3FN));
  EXPECT_FALSE(IsServed(DType::kString));
  EXPECT_TRUE(IsServed(DType::kBFloat16));
  EXPECT_EQ(FromConfigTypeName("TYPE_INT4"), std::nullopt);
}

}  // namespace
}  // namespace tessera::triton
