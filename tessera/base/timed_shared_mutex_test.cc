#include "tessera/base/timed_shared_mutex.h"

#include <gtest/gtest.h>

#include <future>
#include <mutex>
#include <shared_mutex>
#include <thread>
#include <vector>

namespace tessera {
namespace {

using Unique = std::unique_lock<TimedSharedMutex>;
using Shared = std::shared_lock<TimedSharedMutex>;

TimedSharedMutex::TimePoint InMillis(int count) {
  return Deadline::Clock::now() + std::chrono::milliseconds(count);
}

TEST(TimedSharedMutex, IsHeldByOneOrBySharers) {
  TimedSharedMutex mutex;
  {
    const Shared one(mutex);
    EXPECT_TRUE(Shared(mutex, std::try_to_lock));
    EXPECT_FALSE(Unique(mutex, std::try_to_lock));
    EXPECT_FALSE(Unique(mutex, InMillis(5)));
  }
  const Unique alone(mutex, std::try_to_lock);
  EXPECT_TRUE(alone);
  EXPECT_FALSE(Shared(mutex, InMillis(5)));
  EXPECT_FALSE(Unique(mutex, InMillis(5)));
}

TEST(TimedSharedMutex, WhoWaitsGetsItWhenItIsFree) {
  TimedSharedMutex mutex;
  std::vector<std::future<bool>> waiting;
  {
    const Unique alone(mutex);
    waiting.push_back(
        std::async(std::launch::async, [&] { return Shared(mutex, InMillis(60000)).owns_lock(); }));
    waiting.push_back(
        std::async(std::launch::async, [&] { return Unique(mutex, InMillis(60000)).owns_lock(); }));
    waiting.push_back(std::async(std::launch::async, [&] { return Unique(mutex).owns_lock(); }));
    EXPECT_EQ(waiting.front().wait_for(std::chrono::milliseconds(20)), std::future_status::timeout);
  }
  for (std::future<bool>& one : waiting) EXPECT_TRUE(one.get());
}

TEST(TimedSharedMutex, GuardsWhatItsHoldersWrite) {
  TimedSharedMutex mutex;
  int count = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) {
        {
          const Unique alone(mutex, InMillis(60000));
          ++count;
        }
        const Shared one(mutex);
        EXPECT_GT(count, 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(count, 2000);
}

}  // namespace
}  // namespace tessera
