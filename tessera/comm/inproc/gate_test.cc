#include "tessera/comm/inproc/gate.h"

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include "tessera/comm/inproc/futex.h"

namespace tessera::comm {
namespace {

using namespace std::chrono_literals;

Error Late() {
  return {Code::kDeadline, "too late"};
}

void OnThreads(int count, const std::function<void(int)>& body) {
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
  for (std::thread& thread : threads) thread.join();
}

TEST(FutexWait, ReturnsAtOnceWhenTheWordHasChanged) {
  std::atomic<uint32_t> word{1};
  EXPECT_TRUE(FutexWait(word, 0, Deadline::Never()));
}

TEST(FutexWait, TellsThatTheDeadlinePassed) {
  std::atomic<uint32_t> word{0};
  const Deadline deadline = Deadline::In(2ms);
  while (FutexWait(word, 0, deadline)) {
  }
  EXPECT_TRUE(deadline.passed());
}

TEST(FutexWait, IsWokenByAWake) {
  std::atomic<uint32_t> word{0};
  std::thread waiter([&] {
    while (word == 0) EXPECT_TRUE(FutexWait(word, 0, Deadline::In(30s)));
  });
  word = 1;
  FutexWakeAll(word);
  waiter.join();
}

TEST(Gate, OfOneRankIsAlwaysOpen) {
  Gate gate(1);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(gate.Pass(Deadline::In(0s), Late));
}

TEST(Gate, LetsNobodyPassBeforeAllHaveCome) {
  constexpr int kRanks = 5, kRounds = 300;
  Gate gate(kRanks);
  std::atomic<int> came{0};
  OnThreads(kRanks, [&](int) {
    for (int round = 1; round <= kRounds; ++round) {
      came.fetch_add(1);
      ASSERT_TRUE(gate.Pass(Deadline::In(30s), Late));
      EXPECT_GE(came, kRanks * round);
    }
  });
}

TEST(Gate, ShowsWhatWasWrittenBefore) {
  constexpr int kRanks = 3;
  Gate gate(kRanks);
  std::array<int, kRanks> written{};  // not atomic: TSan watches the order
  OnThreads(kRanks, [&](int rank) {
    for (int round = 1; round <= 200; ++round) {
      written[static_cast<size_t>(rank)] = round;
      ASSERT_TRUE(gate.Pass(Deadline::In(30s), Late));
      for (int seen : written) EXPECT_EQ(seen, round);
      ASSERT_TRUE(gate.Pass(Deadline::In(30s), Late));
    }
  });
}

TEST(Gate, TellsTheReasonOfItsClosingToAllWhoWait) {
  Gate gate(4);
  OnThreads(4, [&](int rank) {
    if (rank == 3) return gate.Close({Code::kCancelled, "closed"});
    Result<void> passed = gate.Pass(Deadline::Never(), Late);
    ASSERT_FALSE(passed);
    EXPECT_EQ(passed.error().message, "closed");
  });
}

TEST(Gate, StaysClosedForTheFirstReason) {
  Gate gate(1);
  gate.Close({Code::kCancelled, "first"});
  gate.Close({Code::kCancelled, "second"});
  EXPECT_EQ(gate.Pass(Deadline::Never(), Late).error().message, "first");
}

TEST(Gate, ClosesWithWhatTheLateOneSays) {
  Gate gate(2);
  EXPECT_EQ(gate.Pass(Deadline::In(1ms), Late).error().message, "too late");
  EXPECT_EQ(gate.Pass(Deadline::Never(), Late).error().message, "too late");
}

// Deadlines and closing race with the last one to come: whatever wins, it wins for all.
TEST(Gate, OpensForAllOrForNone) {
  constexpr int kRanks = 3;
  for (int attempt = 0; attempt < 300; ++attempt) {
    Gate gate(kRanks);
    std::atomic<int> passed{0};
    OnThreads(kRanks + 1, [&](int rank) {
      if (rank == kRanks) return gate.Close({Code::kCancelled, "closed"});
      const Deadline deadline = Deadline::In(std::chrono::microseconds(attempt));
      if (gate.Pass(deadline, Late)) passed.fetch_add(1);
    });
    EXPECT_TRUE(passed == 0 || passed == kRanks) << passed;
  }
}

}  // namespace
}  // namespace tessera::comm
