// Outputs whose shape the data decides, on every rank, with the stand-in for libnvinfer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using std::chrono::seconds;
using Keep = std::vector<uint8_t>;  // a byte a row, 0 or 1

Mlp Picking() {
  Mlp mlp;
  mlp.picked = true;
  return mlp;
}

class PickedGpu : public ::testing::TestWithParam<int> {  // of as many ranks
 protected:
  void SetUp() override {
    if (Gpus().size() < static_cast<size_t>(GetParam())) GTEST_SKIP() << "needs " << GetParam() << " GPUs";
  }

  Result<engine::StepReport> Ask(engine::RankGroup& group, const Keep& keep, Taker& taker,
                                 Deadline deadline = Soon()) {
    const auto m = static_cast<int64_t>(keep.size());
    const std::vector<uint16_t> x = RandomHalves(keep.size() * static_cast<size_t>(Mlp().k), 7, 1);
    taker.TakeAll();
    return group.Run(Common({{DType::kFloat16, {m, Mlp().k}, HostRegion(std::as_bytes(std::span(x)))},
                             {DType::kBool, {m}, HostRegion(std::as_bytes(std::span(keep)))}},
                            group.world_size(), taker, deadline));
  }

  // The rows of y that `keep` names, of a model that answers all of them.
  std::vector<uint16_t> Wanted(const Keep& keep) {
    if (!whole_) whole_ = groups_.Loaded(Mlp(), FirstGpus(GetParam()));
    const auto all = tessera::gputest::Ask(*whole_, Mlp(), static_cast<int64_t>(keep.size()), 7);
    EXPECT_TRUE(all);
    std::vector<uint16_t> rows;
    for (size_t row = 0; row < keep.size(); ++row) {
      if (keep[row] == 0) continue;
      const auto begin = all->begin() + static_cast<int64_t>(row) * Mlp().n;
      rows.insert(rows.end(), begin, begin + Mlp().n);
    }
    return rows;
  }

  MlpGroups groups_;
  std::unique_ptr<engine::RankGroup> whole_;
};

Keep EveryThird(size_t rows) {
  Keep keep(rows);
  for (size_t row = 0; row < rows; row += 3) keep[row] = 1;
  return keep;
}

TEST_P(PickedGpu, EveryRankHasTheRowsThatTheDataNames) {
  auto group = groups_.Loaded(Picking(), FirstGpus(GetParam()));
  ASSERT_TRUE(group);
  for (int round = 0; round < 2; ++round) {  // few rows, more, all: the memory of the output grows
    for (const Keep& keep : {Keep{0, 1, 0}, Keep(16), EveryThird(16), EveryThird(64), Keep(64, 1), Keep{1}}) {
      Taker taker;
      const auto done = Ask(*group, keep, taker);
      ASSERT_TRUE(done) << done.error().ToString();
      const std::vector<uint16_t> wanted = Wanted(keep);
      for (int rank = 0; rank < GetParam(); ++rank) {
        EXPECT_EQ(taker.shape(rank, 0), (Shape{std::count(keep.begin(), keep.end(), 1), Mlp().n}));
        EXPECT_EQ(taker.Values<uint16_t>(rank, 0), wanted) << "rank " << rank << " of " << keep.size();
      }
    }
  }
}

// TensorRT waits within enqueueV3 for what decides the shape, and so for the other ranks.
TEST_P(PickedGpu, ARankThatFailsEndsTheStepOfRanksThatWaitForTheirShapes) {
  if (GetParam() == 1) GTEST_SKIP() << "nobody waits for a lone rank";
  for (const char* what : {"fail:rank=1:call=-1", "skip:rank=1:call=-1"}) {
    auto group = groups_.Loaded(Picking(), FirstGpus(GetParam()));
    ASSERT_TRUE(group);
    const Fault fault(what);
    const auto start = Deadline::Clock::now();
    Taker taker;
    EXPECT_FALSE(Ask(*group, EveryThird(16), taker, Deadline::In(seconds(2)))) << what;
    EXPECT_LT(Deadline::Clock::now() - start, seconds(15)) << what;
    EXPECT_FALSE(group->usable());
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, PickedGpu, ::testing::Values(1, 2));

}  // namespace
}  // namespace tessera::gputest
