#include "tessera/base/deadline.h"

#include <gtest/gtest.h>

namespace tessera {
namespace {

using namespace std::chrono_literals;

TEST(Deadline, NeverDoesNotPass) {
  EXPECT_TRUE(Deadline::Never().never());
  EXPECT_FALSE(Deadline::Never().passed());
}

TEST(Deadline, OfNoTimeHasPassed) {
  EXPECT_TRUE(Deadline::In(0s).passed());
}

TEST(Deadline, AheadHasNotPassed) {
  EXPECT_FALSE(Deadline::In(1h).passed());
}

TEST(Deadline, FartherThanTheClockGoesIsNever) {
  EXPECT_TRUE(Deadline::In(Deadline::Clock::duration::max()).never());
}

TEST(Deadline, BeforeTheClockBeganHasPassed) {
  EXPECT_TRUE(Deadline::In(-1h).passed());
}

}  // namespace
}  // namespace tessera
