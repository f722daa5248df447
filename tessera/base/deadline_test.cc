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

TEST(Deadline, TellsTheTimeThatIsLeft) {
  EXPECT_EQ(Deadline::Never().left(), Deadline::Clock::duration::max());
  EXPECT_GT(Deadline::In(1h).left(), 59min);
  EXPECT_LE(Deadline::In(1h).left(), 1h);
  EXPECT_LE(Deadline::In(0s).left(), 0s);
}

TEST(Deadline, LaterThanTheClockGoesIsNever) {
  const Deadline soon = Deadline::In(1min);
  EXPECT_EQ(soon.Later(1h).at(), soon.at() + 1h);
  EXPECT_TRUE(soon.Later(Deadline::Clock::duration::max()).never());
  EXPECT_TRUE(Deadline::Never().Later(1h).never());
}

TEST(Deadline, TheSoonerOfTwoIsTold) {
  const Deadline soon = Deadline::In(1min);
  const Deadline late = Deadline::In(1h);
  EXPECT_EQ(Sooner(soon, late).at(), soon.at());
  EXPECT_EQ(Sooner(late, soon).at(), soon.at());
  EXPECT_EQ(Sooner(Deadline::Never(), late).at(), late.at());
}

}  // namespace
}  // namespace tessera
