// Whole inputs reach every rank in the way that was chosen, configured or probed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "tessera/base/log.h"
#include "tessera/cuda/nvlink.h"
#include "tessera/engine/tensorrt/replication_probe.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"

namespace tessera::gputest {
namespace {

using engine::ReplicationWay;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Keeps the lines of the log that tell a choice, while it lives.
class Choices {
 public:
  Choices() {
    SetLogSink([this](LogLevel, const char*, int, std::string_view message) {
      const std::lock_guard lock(mutex_);
      if (message.find("inputs that all ranks need") != std::string_view::npos) lines_.emplace_back(message);
    });
  }
  ~Choices() { SetLogSink({}); }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
};

class ReplicationGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Gpus().size() < 2) GTEST_SKIP() << "needs two GPUs";
    mlp_.k = 4097;  // columns of 2 bytes: no slice ends where a row does
    mlp_.most_m = 512;
  }

  std::unique_ptr<engine::RankGroup> Load(ReplicationWay way) {
    engine::TensorRtOptions options;
    options.replication = way;
    options.gather_from = 1;
    return groups_.Loaded(mlp_, FirstGpus(2), options);
  }

  MlpGroups groups_;
  Mlp mlp_;
};

TEST_F(ReplicationGpu, EveryWayGivesTheSameAnswers) {
  const auto copied = Load(ReplicationWay::kCopies);
  ASSERT_TRUE(copied);
  for (const ReplicationWay way : {ReplicationWay::kGather, ReplicationWay::kProbe, ReplicationWay::kAuto}) {
    const auto other = Load(way);
    ASSERT_TRUE(other);
    for (const int64_t m : {1, 257, 512, 257}) {
      EXPECT_EQ(*Ask(*other, mlp_, m, 17), *Ask(*copied, mlp_, m, 17))
          << "way " << static_cast<int>(way) << ", m = " << m;
    }
  }
}

TEST_F(ReplicationGpu, AProbeIsMadeOnceAndItsChoiceIsLoggedForEveryModel) {
  Choices choices;
  const auto first = Load(ReplicationWay::kProbe);
  const auto second = Load(ReplicationWay::kProbe);
  ASSERT_TRUE(first && second);
  const std::vector<std::string> lines = choices.lines();
  ASSERT_EQ(lines.size(), 2);
  EXPECT_THAT(lines[0], HasSubstr("(probed as configured: 128 KB "));
  EXPECT_EQ(lines[0], lines[1]) << "the same times: they were kept";
  std::printf("%s\n", lines[0].c_str());
}

TEST_F(ReplicationGpu, AConfiguredWayAndNvLinkAreLoggedAsSuch) {
  Choices choices;
  ASSERT_TRUE(Load(ReplicationWay::kCopies));
  ASSERT_TRUE(Load(ReplicationWay::kGather));
  ASSERT_TRUE(Load(ReplicationWay::kAuto));
  const std::vector<DeviceId> gpus = FirstGpus(2);
  const Result<bool> linked = cuda::HasNvLink(gpus[0], gpus[1]);
  const char* reason = linked && *linked ? "(NVLink between all GPUs)" : "(no NVLink known between GPUs";
  EXPECT_THAT(
      choices.lines(),
      ElementsAre(HasSubstr("a copy to each GPU (as configured)"),
                  HasSubstr("slices and an all-gather from 1 bytes on (as configured)"), HasSubstr(reason)));
}

TEST_F(ReplicationGpu, WrongContentIsNamedAndEndsTheGroup) {
  const std::vector<DeviceId> gpus = FirstGpus(2);
  const auto peers = engine::Peers::Connect(gpus, false, Soon(), {});
  ASSERT_TRUE(peers) << peers.error().ToString();
  const auto threads = engine::RankThreads::Create(gpus);
  ASSERT_TRUE(threads) << threads.error().ToString();
  int compared = 0;
  auto lose = [&](Rank rank, MutableBytes arrived) {
    if (++compared > 2 && rank == Rank{1}) arrived[arrived.size() / 2] ^= std::byte{1};  // copies were right
  };
  const auto probed = engine::ProbeReplication(*peers, **threads, gpus, Soon(), lose);
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().code, Code::kUnavailable);
  EXPECT_THAT(probed.error().message,
              HasSubstr(fmt::format("in slices and an all-gather are wrong on GPU {}", gpus[1].value())));
  EXPECT_FALSE((*peers)->Poll()) << "no model gets this group again";
}

}  // namespace
}  // namespace tessera::gputest
