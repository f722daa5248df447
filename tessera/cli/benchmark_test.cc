#include "tessera/cli/benchmark.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

TEST(Summarize, GivesPercentilesOfTheSortedTimes) {
  std::vector<nanoseconds> times;
  for (int i = 100; i >= 1; --i) times.emplace_back(microseconds(i));
  const Latency latency = Summarize(times);
  EXPECT_EQ(latency.p50_us, 50);
  EXPECT_EQ(latency.p90_us, 90);
  EXPECT_EQ(latency.p99_us, 99);
  EXPECT_DOUBLE_EQ(latency.mean_us, 50.5);
  EXPECT_EQ(latency.steps, 100U);
}

TEST(Summarize, OfOneTimeIsThatTime) {
  EXPECT_EQ(Summarize({microseconds(7)}).p99_us, 7);
}

TEST(Throughput, IsRowsASecond) {
  EXPECT_DOUBLE_EQ(Throughput(Summarize({microseconds(500)}), 8), 16000);
}

TEST(MeasureInTurns, GivesEveryStepItsTurnsAndAtLeastFiveTimes) {
  std::string order;
  auto step = [&](char name) -> TimedStep {
    return [&order, name]() -> Result<void> {
      order += name;
      return {};
    };
  };
  auto times = MeasureInTurns({step('a'), step('b')}, nanoseconds(0), nanoseconds(0));
  ASSERT_TRUE(times);
  EXPECT_EQ(order,
            "aaabbb"
            "ababababab");
  EXPECT_EQ(times->at(0).size(), 5U);
  EXPECT_EQ(times->at(1).size(), 5U);
}

TEST(MeasureInTurns, EndsWithTheFirstError) {
  int left = 5;
  auto times = MeasureInTurns({[&]() -> Result<void> {
                                if (left-- == 0) return Fail(Code::kPeerLost, "rank 1 is gone");
                                return {};
                              }},
                              std::chrono::seconds(60), nanoseconds(0));
  ASSERT_FALSE(times);
  EXPECT_EQ(times.error().message, "rank 1 is gone");
}

}  // namespace
}  // namespace tessera::cli
