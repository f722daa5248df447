#include "tessera/exec/probe.h"

#include <gmock/gmock.h>

#include "tessera/base/log.h"
#include "tessera/exec/testing/fake_engine.h"
#include "tessera/exec/testing/plan_directory.h"
#include "tessera/plan/probe_file.h"

namespace tessera::exec {
namespace {

using ::testing::HasSubstr;
using Kind = plan::Layout::Kind;

constexpr int kRanks = 2;

// y = 2 x, given by `rank` with an error of its own; x and y are [free, 4].
Result<void> Double(const engine::Step& step, const std::vector<float>& error) {
  for (int r = 0; r < kRanks; ++r) {
    const TensorView& x = step.ranks[static_cast<size_t>(r)].tensors.front();
    std::vector<float> y(static_cast<size_t>(ElementCount(x.shape)));
    CopyHost(x.data, HostRegion(std::as_writable_bytes(std::span(y))));
    for (float& value : y) value *= 2;
    y.back() += error[static_cast<size_t>(r)];
    TRY_ASSIGN(const Region place, step.sink->Place(Rank{r}, 0, DType::kFloat32, x.shape));
    if (place.data != nullptr) CopyHost(HostRegion(std::as_bytes(std::span(y))), place);
  }
  return {};
}

class Probe : public ::testing::Test {
 protected:
  // Replicated, or both cut along the columns.
  void Make(Kind kind, bool recorded) {
    const plan::Layout layout{kind, kind == Kind::kSplit ? 1 : 0, Rank{0}};
    ASSERT_TRUE(directory_.WritePlan(kRanks, {{{"x", DType::kFloat32, {kDynamic, 4}}, {"", ""}, layout}},
                                     {{{"y", DType::kFloat32, {kDynamic, 4}}, {"", ""}, layout}}));
    plan_ = *plan::ReadPlan(directory_.path());
    if (kind == Kind::kSplit) local_ = {kDynamic, 2};
    if (!recorded) return;
    const std::vector<float> x{1, 2, 3, 4};
    const std::vector<float> y{2, 4, 6, 8};
    const std::vector<TensorView> inputs{{DType::kFloat32, {1, 4}, HostRegion(std::as_bytes(std::span(x)))}};
    const std::vector<TensorView> answers{{DType::kFloat32, {1, 4}, HostRegion(std::as_bytes(std::span(y)))}};
    plan_.probe = *plan::WriteProbe(inputs, answers, {1e-3}, "model", directory_.path());
  }

  // "" = the ranks pass.
  std::string Refusal(std::vector<Shape> usual = {}) {
    FakeRankGroup group(
        kRanks, {{"x", DType::kFloat32, local_}}, {{"y", DType::kFloat32, local_}},
        [this](const engine::Step& step) {
          ++steps_;
          return Double(step, error_);
        },
        std::move(usual));
    const Result<void> probed = ProbeRanks(plan_, directory_.path(), group, Deadline::Never());
    return probed ? "" : probed.error().message;
  }

  PlanDirectory directory_;
  plan::Plan plan_;
  Shape local_{kDynamic, 4};
  std::vector<float> error_{0, 0};
  int steps_ = 0;
};

TEST_F(Probe, RanksThatAnswerAsRecordedPass) {
  for (const Kind kind : {Kind::kReplicated, Kind::kSplit}) {
    Make(kind, true);
    EXPECT_EQ(Refusal(), "");
    error_ = {0.004F, -0.004F};
    EXPECT_EQ(Refusal(), "") << "within the tolerance of 1e-3 of the largest value, 8";
    error_ = {0, 0};
  }
}

TEST_F(Probe, ARankThatAnswersOtherwiseIsNamedWithOutputDistanceAndTolerance) {
  Make(Kind::kReplicated, true);
  error_ = {0, 0.8F};
  EXPECT_EQ(
      Refusal(),
      "probe: output 'y' of rank 1 is 0.1 off the recorded answer, wanted at most 0.001: the ranks do not "
      "compute this model");
}

TEST_F(Probe, APartIsMeasuredByTheLargestValueOfTheWhole) {
  Make(Kind::kSplit, true);
  error_ = {0.8F, 0};  // of rank 0's values up to 4
  EXPECT_THAT(Refusal(), HasSubstr("output 'y' of rank 0 is 0.1 off"));
}

TEST_F(Probe, OutputsThatDifferThoughReplicatedAreFoundWithoutARecordedAnswer) {
  Make(Kind::kReplicated, false);
  EXPECT_EQ(Refusal({{3, 4}}), "");
  error_ = {1, 1};  // nobody knows better
  EXPECT_EQ(Refusal({{3, 4}}), "");
  error_ = {0, 1};
  EXPECT_THAT(Refusal({{3, 4}}), HasSubstr("output 'y' of rank 1 is "));
  EXPECT_THAT(Refusal({{3, 4}}), HasSubstr(" off rank 0's, wanted at most 0.005: the ranks do not agree"));
}

TEST_F(Probe, WithoutPlanFileADifferenceIsAWarningAndNoRefusal) {
  Make(Kind::kReplicated, false);
  for (plan::RankPlan& rank : plan_.ranks) rank.model.sha256.clear();
  std::vector<std::string> warnings;
  SetLogSink([&](LogLevel level, const char*, int, std::string_view message) {
    if (level == LogLevel::kWarning) warnings.emplace_back(message);
  });
  EXPECT_EQ(Refusal({{3, 4}}), "");
  EXPECT_THAT(warnings, ::testing::IsEmpty());
  error_ = {0, 1};
  EXPECT_EQ(Refusal({{3, 4}}), "");
  SetLogSink({});
  EXPECT_THAT(warnings, ::testing::ElementsAre(HasSubstr("output 'y' of rank 1 is ")));
  EXPECT_EQ(steps_, 2);
}

TEST_F(Probe, NothingRunsWhereNothingCanBeCompared) {
  Make(Kind::kReplicated, false);
  EXPECT_EQ(Refusal(), "");                         // engines that do not tell their sizes
  EXPECT_EQ(Refusal({{int64_t{1} << 21, 4}}), "");  // 32 MiB
  EXPECT_EQ(steps_, 0);
}

TEST_F(Probe, AStepThatFailsFailsTheLoad) {
  Make(Kind::kReplicated, true);
  FakeRankGroup group(kRanks, {{"x", DType::kFloat32, local_}}, {{"y", DType::kFloat32, local_}},
                      [](const engine::Step&) { return Fail(Code::kPeerLost, "rank 1 died"); });
  const Result<void> probed = ProbeRanks(plan_, directory_.path(), group, Deadline::Never());
  ASSERT_FALSE(probed);
  EXPECT_EQ(probed.error().message, "rank 1 died");
}

TEST_F(Probe, EnginesThatDoNotTakeItsSizesAreNotCompared) {
  Make(Kind::kReplicated, true);
  FakeRankGroup group(
      kRanks, {{"x", DType::kFloat32, local_}}, {{"y", DType::kFloat32, local_}},
      [](const engine::Step&) { return Fail(Code::kInvalidArgument, "no profile takes [1,4]"); });
  EXPECT_TRUE(ProbeRanks(plan_, directory_.path(), group, Deadline::Never()));
}

TEST_F(Probe, TheExecutorTriesRanksUnlessToldNotTo) {
  Make(Kind::kReplicated, true);
  ASSERT_TRUE(plan::WritePlan(plan_, directory_.path()));
  FakeEngine engine({{"x", DType::kFloat32, local_}}, {{"y", DType::kFloat32, local_}});
  engine.step = [](const engine::Step& step) { return Double(step, {0, 4}); };
  const auto refused = Executor::Create(directory_.path(), engine);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("output 'y' of rank 1 is 0.5 off the recorded answer"));
  Options untried;
  untried.probe = false;
  EXPECT_TRUE(Executor::Create(directory_.path(), engine, untried));
}

}  // namespace
}  // namespace tessera::exec
