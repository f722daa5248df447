#include <atomic>
#include <chrono>
#include <thread>

#include "tessera/comm/conformance/conformance.h"
#include "tessera/comm/conformance/trial.h"

namespace tessera::comm::conformance {
namespace {

using namespace std::chrono_literals;

constexpr Collective kSum{CollectiveOp::kAllReduce, ReduceOp::kSum};
const Error kReason{Code::kCancelled, "the test aborted", 0, __FILE__, __LINE__};

// What a rank may be told when the group broke for `cause`.
void ExpectBroken(const Result<void>& ran, Code cause) {
  ASSERT_FALSE(ran);
  EXPECT_TRUE(ran.error().code == cause || ran.error().code == Code::kPeerLost) << ran.error().ToString();
  EXPECT_FALSE(ran.error().message.empty());
}

bool IsLast(Communicator& end) {
  return end.rank().value() == end.world_size() - 1;
}

TEST_P(Faults, AMissingRankEndsTheOthersAtTheirDeadline) {
  if (GetParam().world_size == 1) return;  // nobody to wait for
  Trial trial(group(), kSum, 100, 1);
  const auto start = Deadline::Clock::now();
  OnEveryRank(group(), [&](Communicator& end) {
    if (!IsLast(end)) ExpectBroken(trial.Run(end, Deadline::In(50ms)), Code::kDeadline);
  });
  EXPECT_GE(Deadline::Clock::now() - start, 50ms);
  EXPECT_LT(Deadline::Clock::now() - start, 20s);
}

TEST_P(Faults, TheRankThatComesAfterTheDeadlineIsToldAtOnce) {
  if (GetParam().world_size == 1) return;
  Trial trial(group(), kSum, 100, 1);
  OnEveryRank(group(), [&](Communicator& end) {
    if (!IsLast(end)) ExpectBroken(trial.Run(end, Deadline::In(1ms)), Code::kDeadline);
  });
  OnEveryRank(group(), [&](Communicator& end) {
    if (IsLast(end)) ExpectBroken(trial.Run(end, Deadline::Never()), Code::kDeadline);
  });
}

TEST_P(Faults, ADeadlineAheadDoesNoHarm) {
  Trial trial(group(), kSum, 1000, 2);
  OnEveryRank(group(), [&](Communicator& end) {
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(trial.Run(end, Deadline::In(40s)));
    trial.Check(end);
  });
}

// The last rank aborts instead of coming, when the others are on their way or waiting already.
TEST_P(Faults, AbortWakesEveryRank) {
  Trial trial(group(), kSum, 100, 3);
  std::atomic<int> on_their_way{0};
  OnEveryRank(group(), [&](Communicator& end) {
    if (!IsLast(end)) {
      on_their_way.fetch_add(1);
      on_their_way.notify_all();
      return ExpectBroken(trial.Run(end, Deadline::Never()), kReason.code);
    }
    const int others = static_cast<int>(group().ends().size()) - 1;
    for (int seen = on_their_way; seen < others; seen = on_their_way) on_their_way.wait(seen);
    end.Abort(kReason);
    ExpectBroken(trial.Run(end, Deadline::Never()), kReason.code);
  });
}

TEST_P(Faults, TheFirstReasonStays) {
  Trial trial(group(), kSum, 100, 4);
  for (Communicator* end : group().ends()) {
    end->Abort(kReason);
    end->Abort({Code::kInternal, "a later reason", 0, __FILE__, __LINE__});
  }
  OnEveryRank(group(),
              [&](Communicator& end) { ExpectBroken(trial.Run(end, Deadline::Never()), kReason.code); });
}

// Ranks free their buffers as soon as Run returns: nobody may touch them any more (the sanitizers look).
TEST_P(Faults, AbortInTheMidstOfWorkLeavesNobodyInAnothersMemory) {
  for (int calls_before = 0; calls_before < 12; ++calls_before) {
    auto fresh = GetParam().adapter().Create(GetParam().world_size);
    ASSERT_TRUE(fresh) << fresh.error().ToString();
    std::atomic<int> calls{0};
    std::thread aborter([&] {
      for (int seen = calls; seen < calls_before; seen = calls) calls.wait(seen);
      (*fresh)->ends().front()->Abort(kReason);
    });
    OnEveryRank(**fresh, [&](Communicator& end) {
      for (;;) {
        auto send = (*fresh)->Allocate(end.rank(), 200'000), recv = (*fresh)->Allocate(end.rank(), 200'000);
        send->Write(std::vector<std::byte>(200'000, std::byte{1}));
        Result<void> ran = end.Run({CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kInt8},
                                   send->bytes(), recv->bytes(), Deadline::Never());
        if (!ran) return ExpectBroken(ran, kReason.code);
        EXPECT_EQ(recv->Read().back(), static_cast<std::byte>(end.world_size()));
        calls.fetch_add(1);
        calls.notify_all();
      }
    });
    aborter.join();
  }
}

TEST_P(Faults, AKilledRankIsAPeerLost) {
  if (GetParam().world_size == 1) return;
  Trial trial(group(), kSum, 100, 5);
  const Rank victim{GetParam().world_size - 1};
  if (!group().Kill(victim)) GTEST_SKIP() << "this adapter cannot lose a single rank";
  OnEveryRank(group(),
              [&](Communicator& end) { ExpectBroken(trial.Run(end, Deadline::In(10s)), Code::kPeerLost); });
}

// What the last rank calls while the others sum 8 floats.
struct OtherCall {
  Collective what;
  size_t send, recv;
};

TEST_P(Faults, CallsThatDifferAreToldToEveryRank) {
  if (GetParam().world_size == 1) return;
  if (auto reason = GetParam().adapter().MismatchUndetected()) GTEST_SKIP() << *reason;
  const size_t world = static_cast<size_t>(GetParam().world_size);
  const OtherCall others[] = {{kSum, 36, 36},
                              {{CollectiveOp::kAllReduce, ReduceOp::kMax}, 32, 32},
                              {{CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kInt32}, 32, 32},
                              {{CollectiveOp::kAllGather}, 32, 32 * world},
                              {{CollectiveOp::kReduce, ReduceOp::kSum}, 32, 32},
                              {kSum, 32, 28},
                              {kSum, 400'000, 400'000}};
  for (const OtherCall& other : others) {
    auto fresh = GetParam().adapter().Create(GetParam().world_size);
    ASSERT_TRUE(fresh) << fresh.error().ToString();
    OnEveryRank(**fresh, [&](Communicator& end) {
      const OtherCall mine = IsLast(end) ? other : OtherCall{kSum, 32, 32};
      auto send = (*fresh)->Allocate(end.rank(), mine.send), recv = (*fresh)->Allocate(end.rank(), mine.recv);
      Result<void> ran = end.Run(mine.what, send->bytes(), recv->bytes(), Generous());
      ASSERT_FALSE(ran) << "rank " << end.rank().value();
      EXPECT_EQ(ran.error().code, Code::kInvalidArgument) << ran.error().ToString();
    });
  }
}

}  // namespace
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Faults);
}  // namespace tessera::comm::conformance
