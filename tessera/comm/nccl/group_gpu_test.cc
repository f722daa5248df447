// The life of an NcclGroup: deadline, abort with captured graphs, order of destruction. Needs two GPUs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <set>

#include "tessera/base/shared_gpus.h"
#include "tessera/comm/nccl/group.h"
#include "tessera/comm/nccl/pool.h"
#include "tessera/comm/nccl/status.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"

namespace tessera::comm {
namespace {

Deadline Soon() {
  return Deadline::In(std::chrono::seconds(60));
}

const Error kReason{Code::kCancelled, "the test aborts", -1, __FILE__, __LINE__};

// Of two ranks; one GPU twice where NCCL allows it, none where it does not.
std::vector<DeviceId> TwoGpus() {
  if (cuda::DeviceCount() >= 2) return {DeviceId{0}, DeviceId{1}};
  if (cuda::DeviceCount() == 1 && RanksMayShareGpus()) return {DeviceId{0}, DeviceId{0}};
  return {};
}

class NcclGroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (TwoGpus().empty()) GTEST_SKIP() << "needs two GPUs";
    auto made = NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon());
    ASSERT_TRUE(made) << made.error().ToString();
    group_ = *std::move(made);
    for (const DeviceId device : TwoGpus()) {
      streams_.push_back(cuda::Stream::Create(device).value());
      buffers_.push_back(cuda::DeviceBuffer::Create(device, kBytes).value());
    }
  }

  ncclResult_t Sum(int rank) {
    float* data = reinterpret_cast<float*>(buffers_[static_cast<size_t>(rank)].data());
    return ncclAllReduce(data, data, kBytes / sizeof(float), ncclFloat, ncclSum, group_->comm(Rank{rank}),
                         streams_[static_cast<size_t>(rank)].get());
  }

  cuda::Graph CaptureSum(int rank) {
    return cuda::Graph::Capture(streams_[static_cast<size_t>(rank)],
                                [&]() -> Result<void> {
                                  NCCL_TRY(nullptr, Sum(rank));
                                  return {};
                                })
        .value();
  }

  static constexpr size_t kBytes = size_t{1} << 20;
  std::shared_ptr<NcclGroup> group_;
  std::vector<cuda::Stream> streams_;
  std::vector<cuda::DeviceBuffer> buffers_;
};

TEST(NcclGroup, ADeviceListedTwiceIsRefused) {
  if (cuda::DeviceCount() == 0 || RanksMayShareGpus()) GTEST_SKIP() << "needs a GPU that ranks may not share";
  auto made = NcclGroup::Create({DeviceId{0}, DeviceId{0}}, NcclGroup::Calls::kBlocking, Soon());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kInvalidArgument);
  EXPECT_THAT(made.error().message, ::testing::HasSubstr("GPU 0 stands twice"));
}

TEST(NcclGroup, AnAbsentDeviceIsNamed) {
  auto made = NcclGroup::Create({DeviceId{4711}}, NcclGroup::Calls::kBlocking, Soon());
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kUnavailable);
}

// As of a spare group, on GPUs that hang.
TEST_F(NcclGroupTest, FirstCollectivesThatTakeTooLongAreGivenUpAndTheNextGroupIsMade) {
  const auto start = Deadline::Clock::now();
  auto late = NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon(), {}, NcclGroup::Use::kAll,
                                std::chrono::milliseconds(0));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
  EXPECT_THAT(late.error().message, ::testing::HasSubstr("did not end in their time"));
  EXPECT_LT(Deadline::Clock::now() - start, std::chrono::seconds(30));
  auto next = NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon());
  EXPECT_TRUE(next) << next.error().ToString();
}

TEST_F(NcclGroupTest, ReplaysACapturedSum) {
  std::vector<cuda::Graph> graphs;
  for (int r = 0; r < 2; ++r) graphs.push_back(CaptureSum(r));
  const float ones[2] = {1, 2};
  for (size_t r = 0; r < 2; ++r) {
    ASSERT_EQ(cudaMemcpy(buffers_[r].data(), &ones[r], sizeof(float), cudaMemcpyHostToDevice), cudaSuccess);
  }
  for (size_t r = 0; r < 2; ++r) ASSERT_TRUE(graphs[r].Launch(streams_[r]));
  for (size_t r = 0; r < 2; ++r) {
    ASSERT_TRUE(streams_[r].Drain(Soon()));
    float sum = 0;
    ASSERT_EQ(cudaMemcpy(&sum, buffers_[r].data(), sizeof(float), cudaMemcpyDeviceToHost), cudaSuccess);
    EXPECT_EQ(sum, 3);
  }
  graphs.clear();  // before the group, whose end waits for them
}

TEST_F(NcclGroupTest, AbortEndsAKernelThatWaitsForItsPeer) {
  ASSERT_EQ(Sum(0), ncclSuccess);
  EXPECT_FALSE(streams_[0].Drain(Deadline::In(std::chrono::milliseconds(50)))) << "rank 1 has not come";
  group_->Abort(kReason);
  EXPECT_TRUE(streams_[0].Drain(Deadline::In(std::chrono::seconds(5))));
  EXPECT_EQ(group_->failure()->message, kReason.message);
}

TEST_F(NcclGroupTest, AbortEndsACapturedKernelThatWaitsForItsPeer) {
  std::vector<cuda::Graph> graphs;
  for (int r = 0; r < 2; ++r) graphs.push_back(CaptureSum(r));
  ASSERT_TRUE(graphs[1].Launch(streams_[1]));
  EXPECT_FALSE(streams_[1].Drain(Deadline::In(std::chrono::milliseconds(50)))) << "rank 0 has not come";
  group_->Abort(kReason);
  EXPECT_TRUE(streams_[1].Drain(Deadline::In(std::chrono::seconds(5))));
  graphs.clear();
  const auto start = Deadline::Clock::now();
  group_.reset();
  EXPECT_LT(Deadline::Clock::now() - start, NcclGroup::kEndLimit) << "the communicators ended";
}

TEST_F(NcclGroupTest, PollTellsTheReasonOfAnAbort) {
  EXPECT_TRUE(group_->Poll());
  group_->Abort(kReason);
  auto polled = group_->Poll();
  ASSERT_FALSE(polled);
  EXPECT_EQ(polled.error().code, Code::kCancelled);
}

size_t FreeBytes() {
  size_t free = 0;
  size_t total = 0;
  EXPECT_EQ(cudaSetDevice(0), cudaSuccess);
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  return free;
}

TEST_F(NcclGroupTest, AHundredGroupsLeakNoDeviceMemory) {
  group_.reset();
  size_t before = 0;
  for (int i = 0; i < 102; ++i) {
    auto made = NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon());
    ASSERT_TRUE(made) << made.error().ToString();
    if (i % 2 == 1) (*made)->Abort(kReason);
    made = tl::unexpected<Error>(kReason);  // the group ends here
    if (i == 1) before = FreeBytes();       // what the first ones keep, they keep once
  }
  EXPECT_GE(FreeBytes(), before);
}

// All of the GPUs' memory but `left` bytes.
std::vector<cuda::DeviceBuffer> FillGpus(size_t left) {
  std::vector<cuda::DeviceBuffer> filled;
  const std::vector<DeviceId> gpus = TwoGpus();
  for (const DeviceId gpu : std::set<DeviceId>(gpus.begin(), gpus.end())) {
    EXPECT_EQ(cudaSetDevice(gpu.value()), cudaSuccess);
    size_t free = 0;
    size_t total = 0;
    EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    while (free > left) {
      auto piece = cuda::DeviceBuffer::Create(gpu, std::min(free - left, size_t{8} << 30));
      if (!piece) break;  // the rest is in pieces too small
      filled.push_back(*std::move(piece));
      EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
    }
  }
  return filled;
}

TEST_F(NcclGroupTest, GroupsThatCannotBeMadeLeaveNoMemory) {
  group_.reset();
  size_t before = 0;
  for (int round = 0; round < 2; ++round) {
    int failures = 0;
    for (const size_t megabytes : {0, 2, 8, 24}) {  // NCCL comes to different places
      const std::vector<cuda::DeviceBuffer> filled = FillGpus(megabytes << 20);
      ASSERT_FALSE(filled.empty());
      if (!NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon())) ++failures;
    }
    EXPECT_GT(failures, 0);
    if (round == 0) before = FreeBytes();  // what the first ones keep for good is there by now
  }
  EXPECT_GE(FreeBytes(), before);
  EXPECT_TRUE(NcclGroup::Create(TwoGpus(), NcclGroup::Calls::kBlocking, Soon()));
}

// Counts how often a group is connected.
NcclGroup::BeforeWork Counting(int& count) {
  return [&count]() -> Result<std::shared_ptr<void>> {
    ++count;
    return std::shared_ptr<void>();
  };
}

TEST_F(NcclGroupTest, APoolGivesGroupsThatWereLetGoAgain) {
  NcclPool& pool = NcclPool::OfProcess();
  pool.Clear();
  auto first = pool.Take(TwoGpus(), Soon());
  ASSERT_TRUE(first) << first.error().ToString();
  auto second = pool.Take(TwoGpus(), Soon());
  ASSERT_TRUE(second) << second.error().ToString();
  const std::set<ncclComm_t> lent = {(*first)->comm(Rank{0}), (*second)->comm(Rank{0})};
  EXPECT_EQ(lent.size(), 2U) << "models at the same time have their own";
  first->reset();
  second->reset();
  for (auto* group : {&first, &second}) {
    *group = pool.Take(TwoGpus(), Soon());
    ASSERT_TRUE(*group) << group->error().ToString();
  }
  const std::set<ncclComm_t> again = {(*first)->comm(Rank{0}), (*second)->comm(Rank{0})};
  EXPECT_EQ(again, lent) << "both were kept";
  first->reset();
  second->reset();
  pool.Clear();
}

TEST_F(NcclGroupTest, APoolWaitsForTheGroupThatItIsMaking) {
  NcclPool& pool = NcclPool::OfProcess();
  pool.Clear();
  std::promise<void> go;
  pool.Prepare(TwoGpus(), [gone = go.get_future().share()]() -> Result<std::shared_ptr<void>> {
    gone.wait();
    return std::shared_ptr<void>();
  });
  auto early = pool.Take(TwoGpus(), Deadline::In(std::chrono::milliseconds(20)));
  ASSERT_FALSE(early);
  EXPECT_EQ(early.error().code, Code::kDeadline);
  go.set_value();
  int connected = 0;
  auto taken = pool.Take(TwoGpus(), Soon(), Counting(connected), NcclGroup::Use::kCollectives);
  ASSERT_TRUE(taken) << taken.error().ToString();
  EXPECT_EQ(connected, 0) << "the group that was being made is taken, no other";
  taken->reset();
  pool.Clear();
}

TEST_F(NcclGroupTest, APoolMakesItsOwnWhereNoneCouldBePrepared) {
  NcclPool& pool = NcclPool::OfProcess();
  pool.Clear();
  pool.Prepare(TwoGpus(),
               []() -> Result<std::shared_ptr<void>> { return Fail(Code::kInternal, "not today"); });
  auto taken = pool.Take(TwoGpus(), Soon());
  EXPECT_TRUE(taken) << taken.error().ToString();
  taken->reset();
  pool.Clear();
}

TEST_F(NcclGroupTest, PairsAreConnectedOnceForWhoeverWantsThem) {
  NcclPool& pool = NcclPool::OfProcess();
  pool.Clear();
  int connected = 0;
  using Use = NcclGroup::Use;
  for (const Use use : {Use::kCollectives, Use::kCollectives, Use::kAll, Use::kAll, Use::kCollectives}) {
    auto taken = pool.Take(TwoGpus(), Soon(), Counting(connected), use);
    ASSERT_TRUE(taken) << taken.error().ToString();
  }
  EXPECT_EQ(connected, 2) << "when it was made, and when pairs were wanted first";
  pool.Clear();
}

TEST_F(NcclGroupTest, APoolDoesNotKeepAnAbortedGroup) {
  NcclPool& pool = NcclPool::OfProcess();
  auto first = pool.Take(TwoGpus(), Soon());
  ASSERT_TRUE(first) << first.error().ToString();
  (*first)->Abort(kReason);
  first->reset();
  auto second = pool.Take(TwoGpus(), Soon());
  ASSERT_TRUE(second) << second.error().ToString();
  EXPECT_FALSE((*second)->aborted());
  second->reset();
  pool.Clear();
}

}  // namespace
}  // namespace tessera::comm
