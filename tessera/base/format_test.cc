#include "tessera/base/format.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

TEST(FormatBytes, PicksTheUnitThatKeepsTheNumberSmall) {
  EXPECT_EQ(FormatBytes(ByteCount{0}), "0 B");
  EXPECT_EQ(FormatBytes(ByteCount{1023}), "1023 B");
  EXPECT_EQ(FormatBytes(ByteCount{1536}), "1.5 KiB");
  EXPECT_EQ(FormatBytes(ByteCount{uint64_t{66} << 20}), "66.0 MiB");
  EXPECT_EQ(FormatBytes(ByteCount{uint64_t{5000} << 40}), "5000.0 TiB");
}

TEST(FormatMicroseconds, PicksTheUnit) {
  EXPECT_EQ(FormatMicroseconds(812.4), "812 us");
  EXPECT_EQ(FormatMicroseconds(3412), "3.41 ms");
  EXPECT_EQ(FormatMicroseconds(2.05e6), "2.05 s");
}

}  // namespace
}  // namespace tessera
