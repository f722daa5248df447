#include "tessera/base/memory.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <rapidcheck/gtest.h>

#include <numeric>

namespace tessera {
namespace {

constexpr std::byte kUntouched{0xEE};

std::vector<std::byte> Counting(size_t size) {
  std::vector<std::byte> bytes(size);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i % 251);
  return bytes;
}

template <class Byte>
BasicRegion<Byte> Rows(Byte* data, size_t rows, size_t row_bytes, size_t pitch) {
  return {data, rows, row_bytes, pitch};
}

// The bytes of a region in order, read one by one.
std::vector<std::byte> Dense(const ConstRegion& region) {
  std::vector<std::byte> bytes;
  for (size_t row = 0; row < region.rows; ++row) {
    for (size_t i = 0; i < region.row_bytes; ++i) bytes.push_back(region.data[row * region.pitch + i]);
  }
  return bytes;
}

TEST(CopyHost, CopiesDenseBytes) {
  std::vector<std::byte> from = Counting(100), to(100);
  CopyHost(HostRegion(Bytes(from)), HostRegion(MutableBytes(to)));
  EXPECT_EQ(to, from);
}

TEST(CopyHost, TakesNoBytesFromNowhere) {
  CopyHost(ConstRegion{}, Region{});
}

TEST(CopyHost, PutsADenseSourceIntoRowsAndLeavesTheGaps) {
  std::vector<std::byte> from = Counting(6), to(10, kUntouched);
  CopyHost(HostRegion(Bytes(from)), Rows(to.data(), 3, 2, 4));
  EXPECT_EQ(to[0], from[0]);
  EXPECT_EQ(to[5], from[3]);
  EXPECT_EQ(to[9], from[5]);
  for (size_t gap : {2U, 3U, 6U, 7U}) EXPECT_EQ(to[gap], kUntouched) << gap;
}

TEST(CopyHost, IgnoresThePitchOfASingleRow) {
  std::vector<std::byte> from = Counting(8), to(8);
  CopyHost(Rows<const std::byte>(from.data(), 1, 8, 0), Rows(to.data(), 4, 2, 2));
  EXPECT_EQ(to, from);
}

// Cuts `bytes` in rows, some of them with a gap.
struct Cut {
  size_t rows, row_bytes, pitch;
  size_t extent() const { return rows == 0 ? 0 : (rows - 1) * pitch + row_bytes; }
};

RC_GTEST_PROP(CopyHost, ScatterThenGatherIsIdentity, ()) {
  const auto rows = *rc::gen::inRange<size_t>(1, 20);
  const auto row_bytes = *rc::gen::inRange<size_t>(1, 40);
  const Cut cut{rows, row_bytes, row_bytes + *rc::gen::inRange<size_t>(0, 9)};
  std::vector<std::byte> from = Counting(rows * row_bytes), middle(cut.extent(), kUntouched), to(from.size());

  Region spread = Rows(middle.data(), cut.rows, cut.row_bytes, cut.pitch);
  CopyHost(HostRegion(Bytes(from)), spread);
  ConstRegion read{spread.data, spread.rows, spread.row_bytes, spread.pitch};
  RC_ASSERT(Dense(read) == from);
  CopyHost(read, HostRegion(MutableBytes(to)));
  RC_ASSERT(to == from);
}

RC_GTEST_PROP(CopyHost, CopiesBetweenDifferentPitchesAndLeavesTheGaps, ()) {
  const auto rows = *rc::gen::inRange<size_t>(1, 20);
  const auto row_bytes = *rc::gen::inRange<size_t>(1, 40);
  const Cut a{rows, row_bytes, row_bytes + *rc::gen::inRange<size_t>(0, 9)};
  const Cut b{rows, row_bytes, row_bytes + *rc::gen::inRange<size_t>(0, 9)};
  std::vector<std::byte> from = Counting(a.extent()), to(b.extent(), kUntouched);

  CopyHost(Rows<const std::byte>(from.data(), rows, row_bytes, a.pitch),
           Rows(to.data(), rows, row_bytes, b.pitch));
  RC_ASSERT(Dense(Rows<const std::byte>(to.data(), rows, row_bytes, b.pitch)) ==
            Dense(Rows<const std::byte>(from.data(), rows, row_bytes, a.pitch)));
  for (size_t i = 0; i < to.size(); ++i) {
    if (i % b.pitch >= row_bytes) RC_ASSERT(to[i] == kUntouched);
  }
}

RC_GTEST_PROP(CopyHost, ADenseSideMayBeCutAnyWay, ()) {
  const auto rows = *rc::gen::inRange<size_t>(1, 12);
  const auto row_bytes = *rc::gen::inRange<size_t>(1, 12);
  const size_t pitch = row_bytes + *rc::gen::inRange<size_t>(0, 5);
  std::vector<std::byte> from = Counting(rows * row_bytes), to((rows - 1) * pitch + row_bytes);
  // The source says "rows of one byte", as a split along the last axis would.
  CopyHost(Rows<const std::byte>(from.data(), from.size(), 1, 1), Rows(to.data(), rows, row_bytes, pitch));
  RC_ASSERT(Dense(Rows<const std::byte>(to.data(), rows, row_bytes, pitch)) == from);
}

}  // namespace
}  // namespace tessera
