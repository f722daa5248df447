#include "tessera/exec/fifo.h"

#include <gtest/gtest.h>

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

namespace tessera::exec {
namespace {

TEST(Fifo, LetsOneInAtATime) {
  Fifo fifo;
  int inside = 0;
  int most = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 200; ++i) {
        Result<Fifo::Turn> turn = fifo.Enter(Deadline::Never());
        most = std::max(most, ++inside);  // not atomic on purpose: the turn guards them
        --inside;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(most, 1);
}

TEST(Fifo, TellsAWaiterWhoseDeadlinePasses) {
  Fifo fifo;
  Result<Fifo::Turn> first = fifo.Enter(Deadline::Never());
  Result<Fifo::Turn> second = fifo.Enter(Deadline::In(std::chrono::milliseconds(1)));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Code::kDeadline);
}

TEST(Fifo, AWaiterThatGaveUpHoldsNobodyUp) {
  Fifo fifo;
  {
    Result<Fifo::Turn> first = fifo.Enter(Deadline::Never());
    EXPECT_FALSE(fifo.Enter(Deadline::In(std::chrono::milliseconds(1))));
  }
  EXPECT_TRUE(fifo.Enter(Deadline::In(std::chrono::seconds(10))));
}

TEST(Fifo, ServesInOrderOfArrival) {
  Fifo fifo;
  std::vector<int> served;
  std::vector<std::thread> threads;
  {
    Result<Fifo::Turn> first = fifo.Enter(Deadline::Never());
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&fifo, &served, t] {
        Result<Fifo::Turn> turn = fifo.Enter(Deadline::Never());
        served.push_back(t);
      });
      while (fifo.waiting() != static_cast<size_t>(t) + 1) std::this_thread::yield();
    }
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(served, (std::vector<int>{0, 1, 2, 3}));
}

}  // namespace
}  // namespace tessera::exec
