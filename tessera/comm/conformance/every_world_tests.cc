#include <atomic>
#include <bit>
#include <cstring>
#include <deque>
#include <random>

#include "tessera/comm/conformance/conformance.h"
#include "tessera/comm/conformance/trial.h"
#include "tessera/comm/conformance/values.h"

namespace tessera::comm::conformance {
namespace {

// Any collective that the adapter supports, with any root.
Collective Draw(Adapter& adapter, std::minstd_rand& random, int world_size) {
  constexpr DType types[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                             DType::kInt32,   DType::kInt64,   DType::kBool};
  for (;;) {
    Collective what;
    what.op = static_cast<CollectiveOp>(random() % 8);
    if (Reduces(what.op)) what.reduce = static_cast<ReduceOp>(1 + random() % 5);
    what.root = Rank{static_cast<int>(random() % static_cast<unsigned>(world_size))};
    what.type = types[random() % 7];
    if (!adapter.Unsupported(what)) return what;
  }
}

// Small ones and large ones, in a row without a pause: what one call leaves behind must not reach the next.
TEST_P(EveryWorld, RunsAnySequenceOfCollectives) {
  for (unsigned seed = 1; seed <= 5; ++seed) {
    SCOPED_TRACE(seed);
    std::minstd_rand random(seed);
    std::deque<Trial> trials;
    for (int i = 0; i < 60; ++i) {
      const Collective what = Draw(GetParam().adapter(), random, GetParam().world_size);
      const size_t n = random() % 4 != 0 ? random() % 300 : random() % 9000;
      const bool in_place = MayBeInPlace(what.op) && random() % 2 == 0;
      trials.emplace_back(group(), what, n, static_cast<unsigned>(random()),
                          in_place ? Place::kInPlace : Place::kApart);
    }
    OnEveryRank(group(), [&](Communicator& end) {
      for (Trial& trial : trials) ASSERT_TRUE(trial.Run(end, Generous()));
      for (Trial& trial : trials) trial.Check(end);
    });
  }
}

TEST_P(EveryWorld, RunsManyInARow) {
  Trial trial(group(), {CollectiveOp::kAllReduce, ReduceOp::kMax}, 100, 8);
  OnEveryRank(group(), [&](Communicator& end) {
    for (int i = 0; i < 1000; ++i) ASSERT_TRUE(trial.Run(end, Generous()));
    trial.Check(end);
  });
}

// All ranks reduce `sent` (one element a rank) and get the same bits; these are returned.
std::vector<std::byte> SumOf(Group& group, DType type, const std::vector<double>& sent) {
  const Collective sum{CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, type};
  std::vector<std::vector<std::byte>> got(sent.size());
  OnEveryRank(group, [&](Communicator& end) {
    const auto rank = static_cast<size_t>(end.rank().value());
    const std::vector<std::byte> mine = Encode(type, {sent[rank]});
    auto send = group.Allocate(end.rank(), mine.size()), recv = group.Allocate(end.rank(), mine.size());
    send->Write(mine);
    ASSERT_TRUE(end.Run(sum, send->bytes(), recv->bytes(), Generous()));
    got[rank] = recv->Read();
  });
  const auto here = static_cast<size_t>(group.ends().front()->rank().value());
  for (Communicator* end : group.ends()) EXPECT_EQ(got[static_cast<size_t>(end->rank().value())], got[here]);
  return got[here];
}

TEST_P(EveryWorld, AddsFloatsInTheOrderOfTheRanks) {
  if (auto reason = GetParam().adapter().OwnOrder()) GTEST_SKIP() << *reason;
  std::minstd_rand random(9);
  for (int i = 0; i < 50; ++i) {
    std::vector<double> sent;
    float sum = 0;
    for (int rank = 0; rank < GetParam().world_size; ++rank) {
      const float value = std::bit_cast<float>(static_cast<uint32_t>((random() & 0x0FFFFFFF) | 0x38000000));
      sent.push_back(rank % 2 == 0 ? value : -value);
      sum = rank == 0 ? static_cast<float>(sent.back()) : sum + static_cast<float>(sent.back());
    }
    EXPECT_EQ(Decode(DType::kFloat32, SumOf(group(), DType::kFloat32, sent)), std::vector<double>{sum});
  }
}

// 2048 + 1 is 2048 in half precision, twice; in f32 it is 2050 at the end.
TEST_P(EveryWorld, RoundsSixteenBitSumsOnce) {
  if (auto reason = GetParam().adapter().OwnOrder()) GTEST_SKIP() << *reason;
  if (GetParam().world_size < 3) return;  // two terms are rounded once anyway
  for (auto [type, large] : {std::pair{DType::kFloat16, 2048.0}, std::pair{DType::kBFloat16, 256.0}}) {
    std::vector<double> sent(static_cast<size_t>(GetParam().world_size), 0.0);
    sent[0] = large;
    sent[1] = sent[2] = 1;
    EXPECT_EQ(Decode(type, SumOf(group(), type, sent)), std::vector<double>{large + 2}) << DTypeName(type);
  }
}

TEST_P(EveryWorld, TheSameMistakeOnEveryRankLeavesTheGroupUsable) {
  OnEveryRank(group(), [&](Communicator& end) {
    auto buffer = group().Allocate(end.rank(), 24);
    Result<void> ran =
        end.Run({CollectiveOp::kAllReduce, ReduceOp::kNone}, buffer->bytes(), buffer->bytes(), Generous());
    ASSERT_FALSE(ran);
    EXPECT_EQ(ran.error().code, Code::kInvalidArgument);
    EXPECT_NE(ran.error().message.find("all_reduce"), std::string::npos) << ran.error().message;
  });
  Trial(group(), {CollectiveOp::kAllReduce, ReduceOp::kSum}, 10, 10).RunAndCheck();
}

TEST_P(EveryWorld, EachEndKnowsItsPlace) {
  for (Communicator* end : group().ends()) {
    EXPECT_EQ(end->world_size(), GetParam().world_size);
    EXPECT_LT(end->rank(), Rank{GetParam().world_size});
    EXPECT_GE(end->rank(), Rank{0});
  }
}

}  // namespace
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(EveryWorld);
}  // namespace tessera::comm::conformance
