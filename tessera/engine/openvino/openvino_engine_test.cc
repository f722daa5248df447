// What OpenVINO in particular needs: models without a plan, with sizes that no warm-up fits, with operators
// it lacks.
#include "tessera/engine/openvino/openvino_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <numeric>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/comm/inproc/inproc_group.h"
#include "tessera/comm/testing/faulty_communicator.h"
#include "tessera/engine/openvino/guard.h"
#include "tessera/engine/testing/plain_step.h"

namespace tessera::engine {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::filesystem::path kModels = TESSERA_ENGINE_MODELS;

plan::Plan LoneModel() {
  plan::Plan plan;
  plan.ranks.resize(1);
  plan.ranks[0].model.file = "model.onnx";
  return plan;
}

TEST(OpenVinoEngine, RunsALoneModel) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "single", Deadline::Never());
  ASSERT_TRUE(group) << group.error().ToString();
  EXPECT_EQ((*group)->inputs(), (std::vector<TensorSpec>{{"x", DType::kFloat32, {kDynamic, 4}}}));
  EXPECT_EQ((*group)->outputs(), (std::vector<TensorSpec>{{"y", DType::kFloat32, {kDynamic, 4}}}));
  const std::vector<float> x{1, 2, 3, 4};
  KeepingSink sink(1, 1);
  ASSERT_TRUE((*group)->Run({{{{ViewOf(DType::kFloat32, {1, 4}, x)}}}, &sink}));
  EXPECT_EQ(sink.values<float>(0, 0), (std::vector<float>{2, 3, 4, 5}));
}

TEST(OpenVinoEngine, UsesMemoryThatIsNotAligned) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "single", Deadline::Never());
  ASSERT_TRUE(group);
  std::vector<std::byte> bytes(17);
  const float one = 1;
  for (size_t i = 0; i < 4; ++i) std::memcpy(bytes.data() + 1 + 4 * i, &one, 4);
  const TensorView view{DType::kFloat32, {1, 4}, HostRegion(Bytes{bytes}.subspan(1))};
  KeepingSink sink(1, 1);
  ASSERT_TRUE((*group)->Run({{{{view}}}, &sink}));
  EXPECT_EQ(sink.values<float>(0, 0), std::vector<float>(4, 2));
}

TEST(OpenVinoEngine, AModelThatTakesNoWarmUpStartsCold) {
  auto engine = MakeOpenVinoEngine();
  auto group =
      engine->Load(LoneModel(), kModels / "picky", Deadline::Never());  // wants exactly three elements
  ASSERT_TRUE(group) << group.error().ToString();
  const std::vector<float> x{1, 2, 3};
  KeepingSink sink(1, 1);
  ASSERT_TRUE((*group)->Run({{{{ViewOf(DType::kFloat32, {3}, x)}}}, &sink}));
  EXPECT_EQ(sink.values<float>(0, 0), (std::vector<float>{1, 2, 3, 1, 2, 3}));
}

TEST(OpenVinoEngine, AModelThatZerosWouldEndTheProcessInStartsCold) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "range", Deadline::Never());  // of the step 0
  ASSERT_TRUE(group) << group.error().ToString();
  const std::vector<int64_t> values{3, 9, 2};
  std::vector<TensorView> inputs;
  for (const int64_t& value : values)
    inputs.push_back({DType::kInt64, {}, HostRegion(Bytes(reinterpret_cast<const std::byte*>(&value), 8))});
  KeepingSink sink(1, 1);
  ASSERT_TRUE((*group)->Run({{{inputs}}, &sink}));
  EXPECT_EQ(sink.values<int64_t>(0, 0), (std::vector<int64_t>{3, 5, 7}));
}

TEST(OpenVinoEngine, IntegersThatItDoesNotKeepAreRefused) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "range", Deadline::Never());
  ASSERT_TRUE(group) << group.error().ToString();
  const std::vector<int64_t> far{int64_t{1} << 40};
  const TensorView value{
      DType::kInt64, {}, HostRegion(Bytes(reinterpret_cast<const std::byte*>(far.data()), 8))};
  KeepingSink sink(1, 1);
  Result<StepReport> refused = (*group)->Run({{{{value, value, value}}}, &sink});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_THAT(refused.error().message, HasSubstr("has the value 1099511627776"));
  EXPECT_TRUE((*group)->usable());
}

// OpenVINO keeps the shapes of a step that failed and fails the next good one of the shapes before: so the
// group says that it is of no more use.
TEST(OpenVinoEngine, AStepThatTheModelCannotTakeEndsTheGroup) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "picky", Deadline::Never());
  ASSERT_TRUE(group);
  const std::vector<float> x{1, 2, 3, 4};
  KeepingSink sink(1, 1);
  Result<StepReport> refused = (*group)->Run({{{{ViewOf(DType::kFloat32, {4}, x)}}}, &sink});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInternal);
  EXPECT_THAT(refused.error().message, Not(HasSubstr("\n")));
  EXPECT_FALSE((*group)->usable());
}

TEST(OpenVinoEngine, AnOperatorThatItLacksIsNamed) {
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(LoneModel(), kModels / "untyped", Deadline::Never());
  ASSERT_FALSE(group);
  EXPECT_THAT(group.error().message, HasSubstr("NoSuchOp"));
  EXPECT_THAT(group.error().message, HasSubstr("model.onnx"));
  EXPECT_THAT(group.error().message, Not(HasSubstr("\n")));
}

TEST(OpenVinoEngine, ATruncatedWeightFileIsRefused) {
  const tessera::testing::TemporaryDirectory temporary;
  const std::filesystem::path& directory = temporary.path();
  std::filesystem::copy(kModels / "mlp", directory, std::filesystem::copy_options::recursive);
  std::filesystem::resize_file(directory / "weights.rank1", 8);
  auto engine = MakeOpenVinoEngine();
  auto group = engine->Load(*plan::ReadPlan(directory), directory, Deadline::Never());
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kInvalidArgument);
  EXPECT_EQ(group.error().rank, 1);
  EXPECT_THAT(group.error().message, HasSubstr("model.onnx.rank1"));
}

// An engine whose ranks' collectives fail as `faults` says.
std::unique_ptr<Engine> EngineWith(std::shared_ptr<comm::testing::FaultPlan> faults) {
  OpenVinoOptions options;
  options.make_communicators =
      [faults = std::move(faults)](int ranks) -> Result<std::vector<std::unique_ptr<comm::Communicator>>> {
    TRY_ASSIGN(auto ends, comm::CreateInprocGroup(ranks));
    return comm::testing::WithFaults(std::move(ends), faults);
  };
  return MakeOpenVinoEngine(options);
}

TEST(OpenVinoEngine, ACollectiveThatFailsIsToldAsItWas) {
  auto faults = std::make_shared<comm::testing::FaultPlan>();
  auto engine = EngineWith(faults);
  auto group = engine->Load(*plan::ReadPlan(kModels / "mlp"), kModels / "mlp", Deadline::Never());
  ASSERT_TRUE(group) << group.error().ToString();
  EXPECT_EQ(faults->calls(Rank{1}), 1U);  // the warm-up's
  faults->FailAt(Rank{1}, 2, Error{Code::kPeerLost, "the cable is cut", -1, nullptr, 0});
  const std::vector<float> x(8);
  KeepingSink sink(2, 1);
  const RankInputs inputs{{ViewOf(DType::kFloat32, {1, 8}, x)}};
  Result<StepReport> lost = (*group)->Run({{inputs, inputs}, &sink});
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, Code::kPeerLost);
  EXPECT_EQ(lost.error().message, "the cable is cut");
  EXPECT_EQ(lost.error().rank, 1);
  EXPECT_FALSE((*group)->usable());
}

TEST(OpenVinoEngine, ARankThatHangsInACollectiveEndsAtTheDeadline) {
  auto faults = std::make_shared<comm::testing::FaultPlan>();
  auto engine = EngineWith(faults);
  auto group = engine->Load(*plan::ReadPlan(kModels / "mlp"), kModels / "mlp", Deadline::Never());
  ASSERT_TRUE(group) << group.error().ToString();
  faults->HangAt(Rank{0}, 2);
  const std::vector<float> x(8);
  KeepingSink sink(2, 1);
  const RankInputs inputs{{ViewOf(DType::kFloat32, {1, 8}, x)}};
  Result<StepReport> late =
      (*group)->Run({{inputs, inputs}, &sink, Deadline::In(std::chrono::milliseconds(50))});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::kDeadline);
}

TEST(OpenVinoGuard, MakesOneLineWithoutSourcePlaces) {
  EXPECT_EQ(openvino::OneLine("Exception from src/inference/src/cpp/core.cpp:92:\nCheck 'x' failed at "
                              "src/a.cpp:1:\nUnable to read the model:\n  really\n"),
            "Unable to read the model; really");
  EXPECT_EQ(openvino::OneLine("Check 'x' failed at src/a.cpp:1:\n"), "Check 'x' failed at src/a.cpp:1");
}

}  // namespace
}  // namespace tessera::engine
