#include "tessera/base/integer_range.h"

#include <gtest/gtest.h>

#include <vector>

namespace tessera {
namespace {

template <class Integer>
ConstRegion RegionOf(const std::vector<Integer>& values) {
  return HostRegion(
      Bytes(reinterpret_cast<const std::byte*>(values.data()), values.size() * sizeof(Integer)));
}

TensorSpec Ids(DType type) {
  return {"ids", type, {kDynamic}, /*on_host=*/false, /*in_32_bits=*/true};
}

TEST(CheckIn32Bits, TakesWhatFits) {
  EXPECT_TRUE(CheckIn32Bits(Ids(DType::kInt64), RegionOf<int64_t>({0, -1, 2147483647, -2147483648})));
  EXPECT_TRUE(CheckIn32Bits(Ids(DType::kUInt64), RegionOf<uint64_t>({0, 2147483647})));
  EXPECT_TRUE(CheckIn32Bits(Ids(DType::kInt64), ConstRegion{}));
}

TEST(CheckIn32Bits, TellsTheFirstThatDoesNot) {
  const auto line = [](DType type, const ConstRegion& data) {
    const Result<void> checked = CheckIn32Bits(Ids(type), data);
    return checked ? "fits" : checked.error().message;
  };
  EXPECT_EQ(line(DType::kInt64, RegionOf<int64_t>({1, 2147483648, int64_t{1} << 40})),
            "input 'ids' has the value 2147483648; the engine keeps INT64 in 32 bits");
  EXPECT_EQ(line(DType::kInt64, RegionOf<int64_t>({-2147483649})),
            "input 'ids' has the value -2147483649; the engine keeps INT64 in 32 bits");
  EXPECT_EQ(line(DType::kUInt64, RegionOf<uint64_t>({~uint64_t{0}})),
            "input 'ids' has the value 18446744073709551615; the engine keeps UINT64 in 32 bits");
}

TEST(CheckIn32Bits, LooksAtTheRowsOfASlice) {
  const std::vector<int64_t> values{1, int64_t{1} << 40, 2, int64_t{1} << 41};
  ConstRegion column = RegionOf(values);
  column.rows = 2;
  column.row_bytes = 8;
  column.pitch = 16;
  EXPECT_TRUE(CheckIn32Bits(Ids(DType::kInt64), column));
  column.data += 8;
  EXPECT_FALSE(CheckIn32Bits(Ids(DType::kInt64), column));
}

TEST(CheckIn32Bits, LeavesOtherInputsAlone) {
  TensorSpec wide = Ids(DType::kInt64);
  wide.in_32_bits = false;
  EXPECT_TRUE(CheckIn32Bits(wide, RegionOf<int64_t>({int64_t{1} << 40})));
}

}  // namespace
}  // namespace tessera
