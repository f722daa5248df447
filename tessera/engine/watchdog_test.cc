#include "tessera/engine/watchdog.h"

#include <gtest/gtest.h>

#include <future>

namespace tessera::engine {
namespace {

TEST(Watchdog, TellsOfADeadlineThatPasses) {
  std::promise<void> expired;
  auto watchdog = *Watchdog::Create([&expired] { expired.set_value(); });
  watchdog->Arm(Deadline::In(std::chrono::milliseconds(1)));
  expired.get_future().wait();  // the test's own timeout is the bound
}

TEST(Watchdog, ASoonerDeadlineIsNotSleptThrough) {
  std::promise<void> expired;
  auto watchdog = *Watchdog::Create([&expired] { expired.set_value(); });
  watchdog->Arm(Deadline::In(std::chrono::hours(1)));
  watchdog->Disarm();
  watchdog->Arm(Deadline::In(std::chrono::milliseconds(1)));
  expired.get_future().wait();
}

TEST(Watchdog, IsSilentAboutADisarmedDeadline) {
  int expired = 0;  // not atomic on purpose: Disarm orders
  auto watchdog = *Watchdog::Create([&expired] { ++expired; });
  for (int i = 0; i < 1000; ++i) {
    watchdog->Arm(Deadline::In(std::chrono::hours(1)));
    watchdog->Disarm();
  }
  EXPECT_EQ(expired, 0);
}

TEST(Watchdog, ExpiresEachArmedDeadlineOnce) {
  std::promise<void> first;
  std::promise<void> second;
  std::vector<std::promise<void>*> wanted{&second, &first};
  auto watchdog = *Watchdog::Create([&wanted] {
    wanted.back()->set_value();
    wanted.pop_back();
  });
  watchdog->Arm(Deadline::In(std::chrono::milliseconds(1)));
  first.get_future().wait();
  watchdog->Arm(Deadline::In(std::chrono::milliseconds(1)));
  second.get_future().wait();
  watchdog->Disarm();
  EXPECT_TRUE(wanted.empty());
}

}  // namespace
}  // namespace tessera::engine
