#include "tessera/base/types.h"

#include <gtest/gtest.h>

#include <limits>
#include <set>
#include <string>
#include <type_traits>

#include "tessera/base/collective.h"

namespace tessera {
namespace {

// DType's enumerators have no holes, so that tables may be indexed by them.
std::vector<DType> AllTypes() {
  std::vector<DType> types;
  for (int i = 0; i <= static_cast<int>(DType::kComplex128); ++i) types.push_back(static_cast<DType>(i));
  return types;
}

TEST(DType, EveryOneIsFoundByItsOwnName) {
  std::set<std::string_view> names;
  for (DType type : AllTypes()) {
    EXPECT_EQ(DTypeFromName(DTypeName(type)), type) << DTypeName(type);
    EXPECT_TRUE(names.insert(DTypeName(type)).second) << DTypeName(type);
  }
}

TEST(DType, BearsTritonsNames) {
  EXPECT_EQ(DTypeName(DType::kFloat32), "FP32");
  EXPECT_EQ(DTypeName(DType::kInt64), "INT64");
  EXPECT_EQ(DTypeName(DType::kString), "BYTES");
  EXPECT_EQ(DTypeFromName("fp32"), std::nullopt);
}

TEST(DType, HasTheBitsOfItsElement) {
  EXPECT_EQ(BitsOf(DType::kFloat64), 64);
  EXPECT_EQ(BitsOf(DType::kBFloat16), 16);
  EXPECT_EQ(BitsOf(DType::kBool), 8);
  EXPECT_EQ(BitsOf(DType::kInt4), 4);
  EXPECT_EQ(BitsOf(DType::kString), 0);
  EXPECT_EQ(BitsOf(DType::kUndefined), 0);
}

TEST(DType, IsFloatOrIntegerOrNeitherButNeverBoth) {
  for (DType type : AllTypes()) EXPECT_FALSE(IsFloat(type) && IsInteger(type)) << DTypeName(type);
  EXPECT_TRUE(IsFloat(DType::kFloat8E8M0));
  EXPECT_TRUE(IsInteger(DType::kUInt2));
  EXPECT_FALSE(IsFloat(DType::kBool) || IsInteger(DType::kBool));
  EXPECT_FALSE(IsFloat(DType::kComplex64) || IsInteger(DType::kString));
}

TEST(Shape, ScalarHasOneElement) {
  EXPECT_EQ(ElementCount({}), 1);
  EXPECT_EQ(BytesOf(DType::kFloat32, {}), ByteCount{4});
}

TEST(Shape, ZeroDimensionMakesItEmpty) {
  EXPECT_EQ(BytesOf(DType::kInt64, {4, 0, 8}), ByteCount{0});
}

TEST(Shape, ElementsBelowAByteArePacked) {
  EXPECT_EQ(BytesOf(DType::kInt4, {3}), ByteCount{2});
  EXPECT_EQ(BytesOf(DType::kInt2, {2, 2}), ByteCount{1});
}

TEST(Shape, BytesMayPass4Giga) {
  EXPECT_EQ(BytesOf(DType::kFloat32, {65536, 65536}), ByteCount{uint64_t{1} << 34});
}

TEST(Shape, IsStaticWithoutFreeDimensions) {
  EXPECT_TRUE(IsStatic({}));
  EXPECT_TRUE(IsStatic({0, 3}));
  EXPECT_FALSE(IsStatic({2, kDynamic}));
}

TEST(Shape, IsWrittenInBrackets) {
  EXPECT_EQ(ToString({4, kDynamic, 384}), "[4,-1,384]");
  EXPECT_EQ(ToString(Shape{}), "[]");
}

TEST(Strong, NumbersOfDifferentNamesDoNotMix) {
  static_assert(!std::is_convertible_v<Rank, DeviceId> && !std::is_convertible_v<int, Rank>);
  EXPECT_LT(Rank{1}, Rank{2});
  EXPECT_EQ(Rank{}, Rank{0});
}

TEST(CollectiveOp, NamesAreThoseOfTheNodeAttribute) {
  for (const char* name : {"all_reduce", "all_gather", "broadcast", "reduce", "reduce_scatter", "all_to_all",
                           "gather", "scatter"}) {
    ASSERT_TRUE(CollectiveOpFromName(name)) << name;
    EXPECT_EQ(Name(*CollectiveOpFromName(name)), name);
  }
  EXPECT_EQ(Name(CollectiveOp::kAllToAll), "all_to_all");
  EXPECT_EQ(CollectiveOpFromName("AllReduce"), std::nullopt);
}

TEST(ReduceOp, NamesAreThoseOfTheNodeAttribute) {
  for (const char* name : {"none", "sum", "prod", "max", "min", "avg"}) {
    ASSERT_TRUE(ReduceOpFromName(name)) << name;
    EXPECT_EQ(Name(*ReduceOpFromName(name)), name);
  }
  EXPECT_EQ(Name(ReduceOp::kAvg), "avg");
}

TEST(CollectiveOp, OnlyReductionsReduceAndOnlyRootedOpsHaveARoot) {
  EXPECT_TRUE(Reduces(CollectiveOp::kReduce) && IsRooted(CollectiveOp::kReduce));
  EXPECT_TRUE(Reduces(CollectiveOp::kReduceScatter) && !IsRooted(CollectiveOp::kReduceScatter));
  EXPECT_TRUE(!Reduces(CollectiveOp::kScatter) && IsRooted(CollectiveOp::kScatter));
  EXPECT_TRUE(!Reduces(CollectiveOp::kAllToAll) && !IsRooted(CollectiveOp::kAllToAll));
}

TEST(BytesOf, IsTheLargestNumberWhereItIsTooLarge) {
  const int64_t far = int64_t{1} << 62;
  EXPECT_EQ(ElementCount({2, far + 1, 4}), std::numeric_limits<int64_t>::max());
  EXPECT_EQ(ElementCount({far, far, 0}), 0);
  EXPECT_EQ(BytesOf(DType::kFloat32, {2, far + 1, 4}).value(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(BytesOf(DType::kInt64, {far}).value(), std::numeric_limits<uint64_t>::max());
  EXPECT_EQ(BytesOf(DType::kInt64, {far >> 5}).value(), uint64_t{1} << 60);
}

}  // namespace
}  // namespace tessera
