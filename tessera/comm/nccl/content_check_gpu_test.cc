// What GPUs send each other is compared at load, and what arrives wrong is named. Needs two GPUs; ranks that
// share one do for what NCCL sends.
#include "tessera/comm/nccl/content_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/log.h"
#include "tessera/base/shared_gpus.h"
#include "tessera/comm/nccl/group.h"
#include "tessera/cuda/device.h"

namespace tessera::comm {
namespace {

using ::testing::HasSubstr;

Deadline BeforeLong() {
  return Deadline::In(std::chrono::seconds(60));
}

class ContentCheck : public ::testing::Test {
 protected:
  void SetUp() override {
    const int gpus = cuda::DeviceCount();
    if (gpus < 2 && !(gpus == 1 && RanksMayShareGpus())) GTEST_SKIP() << "needs two GPUs";
    devices_ = {DeviceId{0}, DeviceId{gpus > 1 ? 1 : 0}};
    auto made = NcclGroup::Create(devices_, NcclGroup::Calls::kBlocking, BeforeLong());
    ASSERT_TRUE(made) << made.error().ToString();
    group_ = *std::move(made);
    for (int r = 0; r < 2; ++r) comms_.push_back(group_->comm(Rank{r}));
  }

  AbortCollectives Abort() const {
    return [group = group_](const Error& error) { group->Abort(error); };
  }

  std::vector<DeviceId> devices_;
  std::vector<ncclComm_t> comms_;
  std::shared_ptr<NcclGroup> group_;
};

TEST_F(ContentCheck, WhatNcclGathersArrives) {
  const Result<void> checked = CheckGathers(devices_, comms_, BeforeLong(), Abort());
  EXPECT_TRUE(checked) << checked.error().ToString();
}

TEST_F(ContentCheck, WhatArrivesWrongIsRefusedByName) {
  auto lose = [](Rank from, Rank to, MutableBytes arrived) {
    if (from == Rank{0} && to == Rank{1} && arrived.size() > 4096) arrived.back() ^= std::byte{1};
  };
  const Result<void> checked = CheckGathers(devices_, comms_, BeforeLong(), Abort(), lose);
  ASSERT_FALSE(checked) << "one bit of the large block is wrong";
  EXPECT_EQ(checked.error().code, Code::kUnavailable);
  EXPECT_THAT(checked.error().message,
              HasSubstr(fmt::format("what GPU 0 sends arrives wrong on GPU {}", devices_[1].value())));
  EXPECT_THAT(checked.error().message, HasSubstr("NCCL_P2P_DISABLE=1"));
  EXPECT_TRUE(group_->aborted());
}

// Keeps the warnings of its time.
class Warnings {
 public:
  Warnings() {
    SetLogSink([this](LogLevel level, const char*, int, std::string_view message) {
      if (level == LogLevel::kWarning) lines_.emplace_back(message);
    });
  }
  ~Warnings() { SetLogSink({}); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

TEST_F(ContentCheck, APairWhoseDirectCopiesAreLostIsNamedAndNotUsed) {
  if (devices_[0] == devices_[1]) GTEST_SKIP() << "needs two GPUs";
  if (!*cuda::CanAccessPeer(devices_[0], devices_[1])) GTEST_SKIP() << "the driver offers no direct copies";
  auto lose = [](DeviceId from, DeviceId, MutableBytes arrived) {
    if (from == DeviceId{0}) arrived.front() = std::byte{0xff};
  };
  group_.reset();  // it may use the access that is disabled here
  const Warnings warnings;
  const Result<bool> sound = CheckPairs(devices_, BeforeLong(), lose);
  ASSERT_TRUE(sound) << sound.error().ToString();
  EXPECT_FALSE(*sound);
  ASSERT_EQ(warnings.lines().size(), 1);
  EXPECT_THAT(warnings.lines()[0], HasSubstr("what GPU 0 copies to GPU 1 directly does not arrive there"));
  const cuda::DeviceGuard guard = cuda::DeviceGuard::Enter(DeviceId{0}).value();
  EXPECT_NE(cudaDeviceDisablePeerAccess(1), cudaSuccess) << "it was left enabled";
  (void)cudaGetLastError();
}

}  // namespace
}  // namespace tessera::comm
