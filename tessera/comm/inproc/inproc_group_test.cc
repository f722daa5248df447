// What this adapter promises beyond the port.
#include "tessera/comm/inproc/inproc_group.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>
#include <thread>

namespace tessera::comm {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr Collective kSum{CollectiveOp::kAllReduce, ReduceOp::kSum};

class InprocGroup : public ::testing::Test {
 protected:
  void Make(int world_size) { ends_ = *CreateInprocGroup(world_size); }

  // What each rank's call ends with, when rank r makes the r-th; ranks beyond the list do not call.
  struct Call {
    Collective what = kSum;
    size_t bytes = 32;
  };
  std::vector<Result<void>> Run(const std::vector<Call>& calls, Deadline deadline = Deadline::In(30s)) {
    std::vector<Result<void>> results(calls.size());
    std::vector<std::thread> threads;
    for (size_t rank = 0; rank < calls.size(); ++rank) {
      threads.emplace_back([&, rank] {
        std::vector<std::byte> buffer(calls[rank].bytes);
        results[rank] = ends_[rank]->Run(calls[rank].what, buffer, buffer, deadline);
      });
    }
    for (std::thread& thread : threads) thread.join();
    return results;
  }

  std::vector<std::unique_ptr<Communicator>> ends_;
};

TEST_F(InprocGroup, RefusesAGroupOfNobody) {
  EXPECT_EQ(CreateInprocGroup(0).error().code, Code::kInvalidArgument);
  EXPECT_EQ(CreateInprocGroup(-1).error().code, Code::kInvalidArgument);
}

TEST_F(InprocGroup, NamesBothCallsThatDifferAndStaysUsable) {
  Make(3);
  const Collective max{CollectiveOp::kAllReduce, ReduceOp::kMax};
  for (const Result<void>& result : Run({{kSum, 32}, {max, 32}, {kSum, 32}})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().message,
              "rank 1: all_reduce max of 32 bytes of FP32, but rank 0: all_reduce sum of 32 bytes of FP32");
    EXPECT_EQ(result.error().rank, 1);
  }
  for (const Result<void>& result : Run({{}, {}, {}})) EXPECT_TRUE(result);
}

TEST_F(InprocGroup, TellsEveryRankOfTheOneThatCallsWrongly) {
  Make(2);
  for (const Result<void>& result : Run({{kSum, 32}, {kSum, 30}})) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kInvalidArgument);
    EXPECT_THAT(result.error().message, HasSubstr("rank 1: all_reduce of FP32: send has 30 bytes"));
  }
  for (const Result<void>& result : Run({{}, {}})) EXPECT_TRUE(result);
}

TEST_F(InprocGroup, DifferentRootsDiffer) {
  Make(2);
  const auto from = [](int root) {
    return Collective{CollectiveOp::kBroadcast, ReduceOp::kNone, Rank{root}};
  };
  for (const Result<void>& result : Run({{from(0)}, {from(1)}})) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("with root 1"), HasSubstr("with root 0")));
  }
}

TEST_F(InprocGroup, NamesTheRanksThatDidNotCome) {
  Make(4);
  const auto results = Run({{}, {}}, Deadline::In(20ms));
  for (const Result<void>& result : results) {
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Code::kDeadline);
    // A busy machine may keep another one away too.
    EXPECT_THAT(result.error().message, AllOf(HasSubstr("not there yet: rank "), HasSubstr("2, 3")));
    EXPECT_LE(result.error().rank, 2);
  }
}

TEST_F(InprocGroup, NamesTheRankThatLeft) {
  Make(2);
  ends_[1].reset();
  const Result<void> result = Run({{}})[0];
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, Code::kPeerLost);
  EXPECT_EQ(result.error().message, "rank 1 left the group");
}

// 16 KB is where the way of working changes.
TEST_F(InprocGroup, SumsOnBothSidesOfTheSizeWhereTheWayChanges) {
  Make(3);
  for (size_t bytes : {16384 - 4, 16384, 16384 + 4}) {
    std::vector<std::vector<int32_t>> got(3);
    std::vector<std::thread> threads;
    for (size_t rank = 0; rank < 3; ++rank) {
      threads.emplace_back([&, rank] {
        std::vector<int32_t> mine(bytes / 4);
        std::iota(mine.begin(), mine.end(), static_cast<int32_t>(rank));
        const auto buffer = std::as_writable_bytes(std::span(mine));
        Collective what = kSum;
        what.type = DType::kInt32;
        EXPECT_TRUE(ends_[rank]->Run(what, buffer, buffer, Deadline::In(30s)));
        got[rank] = mine;
      });
    }
    for (std::thread& thread : threads) thread.join();
    for (const auto& sums : got) {
      for (size_t i = 0; i < sums.size(); ++i) ASSERT_EQ(sums[i], static_cast<int32_t>(3 * i + 3)) << bytes;
    }
  }
}

TEST_F(InprocGroup, HoldsManyMoreRanksThanCores) {
  Make(32);
  for (int i = 0; i < 20; ++i) {
    for (const Result<void>& result : Run(std::vector<Call>(32))) EXPECT_TRUE(result);
  }
}

}  // namespace
}  // namespace tessera::comm
