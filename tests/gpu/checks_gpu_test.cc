// What is checked when a model is loaded on GPUs: that its engines were built for them, and what they answer.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/library.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tessera/exec/probe.h"
#include "tessera/plan/probe_file.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// An MLP over the first GPUs, whose plan says how it was built: for here.
class ChecksAtLoad : public ::testing::Test {
 protected:
  void SetUp() override {
    const int ranks = Gpus().size() < 2 ? 1 : 2;
    if (Gpus().empty()) GTEST_SKIP() << "needs a GPU";
    auto plan = WriteMlp(Mlp{}, ranks, directory_.path());
    ASSERT_TRUE(plan) << plan.error().ToString();
    plan_ = *std::move(plan);
    const auto library = engine::TensorRtLibrary::Open();
    ASSERT_TRUE(library) << library.error().ToString();
    plan_.build = plan::Build{engine::kTensorRtLibraryName, (*library)->version(), {}, true, {}, {}};
    for (int rank = 0; rank < ranks; ++rank) {
      const auto info = cuda::GetDeviceInfo(Gpus()[static_cast<size_t>(rank)]);
      ASSERT_TRUE(info) << info.error().ToString();
      plan_.build->compute_capabilities.push_back(fmt::format("{}.{}", info->major, info->minor));
    }
  }

  // "" = it loads.
  std::string Refusal() {
    engine::TensorRtOptions options;
    options.devices = FirstGpus(plan_.world_size());
    const auto engine = engine::MakeTensorRtEngine(options);
    const auto group = engine->Load(plan_, directory_.path(), Deadline::In(std::chrono::seconds(60)));
    return group ? "" : group.error().message;
  }

  TempDirectory directory_;
  plan::Plan plan_;
};

TEST_F(ChecksAtLoad, EnginesBuiltForHereAreTaken) {
  EXPECT_EQ(Refusal(), "");
}

TEST_F(ChecksAtLoad, EnginesOfAnotherVersionAreRefused) {
  const std::string here = plan_.build->version;
  plan_.build->version = "11.0.9";
  EXPECT_THAT(Refusal(),
              StartsWith("the engines were built by tensorrt 11.0.9, this program runs tensorrt " + here));
}

TEST_F(ChecksAtLoad, EnginesForOtherGpusAreRefused) {
  const std::string here = plan_.build->compute_capabilities.front();
  plan_.build->compute_capabilities = {"7.5", "12.0"};
  EXPECT_THAT(Refusal(), HasSubstr("rank 0: its GPU has compute capability " + here +
                                   ", the engines were built for 7.5, 12.0"));
}

TEST_F(ChecksAtLoad, ARankOfAnotherModelIsRefused) {
  if (Gpus().size() < 2) GTEST_SKIP() << "needs two GPUs";
  Mlp other;
  other.k = 128;
  TempDirectory directory;
  ASSERT_TRUE(WriteMlp(other, 2, directory.path()));
  const std::string& file = plan_.ranks[1].model.file;
  std::filesystem::copy_file(directory.path() / file, directory_.path() / file,
                             std::filesystem::copy_options::overwrite_existing);
  EXPECT_EQ(Refusal(), "rank 1: input 0 is 'x' FP16 [-1,128], rank 0's is 'x' FP16 [-1,256]");
}

// The ranks of an MLP over two GPUs, tried. The recorded answer is added up in double precision by this CPU.
class Probed : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Gpus().size() < 2) GTEST_SKIP() << "needs two GPUs";
    auto plan = WriteMlp(mlp_, 2, directory_.path());
    ASSERT_TRUE(plan) << plan.error().ToString();
    Take(*std::move(plan));
  }

  void Take(plan::Plan plan) {
    plan_ = std::move(plan);
    for (plan::RankPlan& rank : plan_.ranks) rank.model.sha256 = std::string(64, '0');  // of a plan file
  }

  // Two rows, the last value `wrong` more than it should be.
  void Record(float wrong) {
    const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(2 * mlp_.k), 3, 1);
    std::vector<uint16_t> y;
    for (int64_t row = 0; row < 2; ++row) {
      for (const double value : MlpRow(mlp_, x.data() + row * mlp_.k))
        y.push_back(ToHalf(static_cast<float>(value)));
    }
    y.back() = ToHalf(FromHalf(y.back()) + wrong);
    const std::vector<TensorView> inputs{
        {DType::kFloat16, {2, mlp_.k}, HostRegion(std::as_bytes(std::span(x)))}};
    const std::vector<TensorView> answers{
        {DType::kFloat16, {2, mlp_.n}, HostRegion(std::as_bytes(std::span(y)))}};
    auto probe = plan::WriteProbe(inputs, answers, {5e-3}, "model", directory_.path());
    ASSERT_TRUE(probe) << probe.error().ToString();
    plan_.probe = *std::move(probe);
  }

  // "" = the ranks pass.
  std::string Refusal() {
    engine::TensorRtOptions options;
    options.devices = FirstGpus(2);
    const Deadline deadline = Deadline::In(std::chrono::seconds(60));
    const auto engine = engine::MakeTensorRtEngine(options);
    const auto group = engine->Load(plan_, directory_.path(), deadline);
    if (!group) return group.error().message;
    const Result<void> probed = exec::ProbeRanks(plan_, directory_.path(), **group, deadline);
    return probed ? "" : probed.error().message;
  }

  const Mlp mlp_;
  TempDirectory directory_;
  plan::Plan plan_;
};

TEST_F(Probed, RanksThatAnswerAsRecordedPass) {
  Record(0);
  EXPECT_EQ(Refusal(), "");
}

TEST_F(Probed, AWrongAnswerRefusesTheModelWithOutputRankDistanceAndTolerance) {
  Record(100);
  EXPECT_THAT(Refusal(),
              ::testing::MatchesRegex("probe: output 'y' of rank 0 is [0-9.]+ off the recorded answer, "
                                      "wanted at most 0.005: the ranks do not compute this model"));
}

TEST_F(Probed, WithoutARecordedAnswerRanksThatAgreePass) {
  EXPECT_EQ(Refusal(), "");
}

// Each rank a whole MLP of its own weights, and nothing that would make them agree.
TEST_F(Probed, RanksThatShouldAgreeAndDoNotAreRefused) {
  Mlp other = mlp_;
  other.seed = mlp_.seed + 1;
  TempDirectory directory;
  auto first = WriteMlp(mlp_, 1, directory_.path());
  auto second = WriteMlp(other, 1, directory.path());
  ASSERT_TRUE(first && second);
  plan::Plan plan = *first;
  plan.mesh = plan_.mesh;
  plan.ranks.push_back(second->ranks.front());
  plan.ranks.back().model.file = "other";
  std::filesystem::copy_file(directory.path() / second->ranks.front().model.file,
                             directory_.path() / "other");
  Take(std::move(plan));
  EXPECT_THAT(Refusal(), ::testing::StartsWith("probe: output 'y' of rank 1 is "));
}

}  // namespace
}  // namespace tessera::gputest
