// A call of NCCL that does not return while GPUs are connected: this program has an ncclGroupEnd of its own
// in front of NCCL's, which hangs where a test asks for it. Needs two GPUs.
#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "tessera/base/shared_gpus.h"
#include "tessera/base/unfinished.h"
#include "tessera/comm/nccl/group.h"
#include "tessera/cuda/device.h"

namespace {

std::atomic<std::promise<void>*> hangs{nullptr};  // the next call, until this is set

}  // namespace

extern "C" ncclResult_t ncclGroupEnd() {
  static auto* const nccls = reinterpret_cast<ncclResult_t (*)()>(dlsym(RTLD_NEXT, "ncclGroupEnd"));
  if (std::promise<void>* until = hangs.exchange(nullptr)) until->get_future().wait();
  return nccls();
}

namespace tessera::comm {
namespace {

std::vector<DeviceId> GpusOfTwoRanks() {
  if (cuda::DeviceCount() >= 2) return {DeviceId{0}, DeviceId{1}};
  if (cuda::DeviceCount() == 1 && RanksMayShareGpus()) return {DeviceId{0}, DeviceId{0}};
  return {};
}

Deadline InAMinute() {
  return Deadline::In(std::chrono::seconds(60));
}

TEST(NcclGroupHangs, ACallThatDoesNotReturnKeepsNobodyOffTheGpus) {
  const std::vector<DeviceId> gpus = GpusOfTwoRanks();
  if (gpus.empty()) GTEST_SKIP() << "needs two GPUs";
  const int threads = Unfinished::count();
  std::promise<void> comes_back;
  auto kept_off = std::make_shared<int>();  // others, as a turn of DeviceOrder would
  const std::weak_ptr<void> watched = kept_off;
  auto before_work = [&]() -> Result<std::shared_ptr<void>> {
    hangs = &comes_back;
    return std::exchange(kept_off, nullptr);
  };
  const auto start = Deadline::Clock::now();
  const auto made = NcclGroup::Create(gpus, NcclGroup::Calls::kBlocking, InAMinute(), before_work,
                                      NcclGroup::Use::kCollectives, std::chrono::milliseconds(100));
  ASSERT_FALSE(made);
  EXPECT_EQ(made.error().code, Code::kDeadline);
  EXPECT_THAT(made.error().message, ::testing::HasSubstr("does not return"));
  EXPECT_LT(Deadline::Clock::now() - start, NcclGroup::kStuckAfter + std::chrono::seconds(5));
  EXPECT_TRUE(watched.expired());

  const auto next = NcclGroup::Create(gpus, NcclGroup::Calls::kBlocking, InAMinute());
  EXPECT_TRUE(next) << next.error().ToString();

  comes_back.set_value();  // it finds its communicators, and lets them go
  while (Unfinished::count() > threads && Deadline::Clock::now() - start < std::chrono::minutes(1)) {
    std::this_thread::yield();
  }
  EXPECT_LE(Unfinished::count(), threads);
}

}  // namespace
}  // namespace tessera::comm
