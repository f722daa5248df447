// What every Engine must do. An adapter's test includes this once and instantiates it:
//
//   INSTANTIATE_TEST_SUITE_P(OpenVino, EngineConformance, ::testing::Values(EngineUnderTest{make_engine,
//   models}));
//
// `models` holds the directories that testing/make_models.py writes (for an engine that needs its own files:
// the same models, built for it).
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tessera/engine/testing/conformance_fixture.h"

namespace tessera::engine {

TEST_P(EngineConformance, DeclaresLocalInputsAndOutputs) {
  auto group = Load("split_columns");
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->world_size(), 2);
  EXPECT_EQ(group->inputs(), (std::vector<TensorSpec>{{"x", DType::kFloat32, {4, 3}}}));
  EXPECT_EQ(group->outputs(), (std::vector<TensorSpec>{{"all", DType::kFloat32, {4, 6}},
                                                       {"y", DType::kFloat32, {4, 3}},
                                                       {"one", DType::kFloat32, {4, 3}}}));
}

TEST_P(EngineConformance, ComputesTheSameOnEveryRank) {
  for (const char* model : {"mlp", "mlp4", "mlp_fixed"}) {
    auto group = Load(model);
    ASSERT_NE(group, nullptr);
    const std::vector<float> x = conformance::Ramp(32);
    KeepingSink sink(group->world_size(), 1);
    const Step step = ReplicatedStep(group->world_size(), {ViewOf(DType::kFloat32, {4, 8}, x)}, sink);
    Result<StepReport> report = group->Run(step);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(report->rank_time.size(), static_cast<size_t>(group->world_size()));
    for (int r = 0; r < group->world_size(); ++r) {
      EXPECT_EQ(sink.values<float>(r, 0), conformance::MlpAnswer(x)) << model << " rank " << r;
      EXPECT_EQ(sink.of(r, 0).shape, (Shape{4, 8}));
    }
  }
}

TEST_P(EngineConformance, TakesCollectivesOfAnyDomain) {
  for (const char* model : {"mlp_default_domain", "mlp_other_domain"}) {
    auto group = Load(model);
    ASSERT_NE(group, nullptr);
    const std::vector<float> x = conformance::Ramp(8);
    KeepingSink sink(2, 1);
    Result<StepReport> report = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {1, 8}, x)}, sink));
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(sink.values<float>(1, 0), conformance::MlpAnswer(x));
  }
}

TEST_P(EngineConformance, RunsStepAfterStepWithSizesThatChange) {
  auto group = Load("mlp");
  ASSERT_NE(group, nullptr);
  for (int64_t i = 0; i < 100; ++i) {
    const int64_t batch = 1 + i * 7 % 5;
    const std::vector<float> x = conformance::Ramp(static_cast<size_t>(batch) * 8, static_cast<float>(i));
    KeepingSink sink(2, 1);
    Result<StepReport> report = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {batch, 8}, x)}, sink));
    ASSERT_TRUE(report) << report.error().ToString();
    ASSERT_EQ(sink.values<float>(0, 0), conformance::MlpAnswer(x));
    ASSERT_EQ(sink.values<float>(1, 0), conformance::MlpAnswer(x));
  }
}

TEST_P(EngineConformance, TakesNoRows) {
  auto group = Load("mlp");
  ASSERT_NE(group, nullptr);
  const std::vector<float> x;
  KeepingSink sink(2, 1);
  Result<StepReport> report = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {0, 8}, x)}, sink));
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(sink.of(0, 0).shape, (Shape{0, 8}));
}

TEST_P(EngineConformance, ReadsAndWritesStridedParts) {
  auto group = Load("split_columns");
  ASSERT_NE(group, nullptr);
  const std::vector<float> x = conformance::Ramp(24, -10);
  for (int output : {0, 1, 0}) {  // gathered on every rank; split, so each writes its columns
    Step step;
    for (size_t r = 0; r < 2; ++r) {
      ConstRegion part = HostRegion(std::as_bytes(std::span(x)));
      part = {part.data + r * 12, 4, 12, 24};
      step.ranks.push_back({{TensorView{DType::kFloat32, {4, 3}, part}}});
    }
    std::vector<float> whole(output == 0 ? 48 : 24);
    conformance::ColumnSink sink(2, output, whole);
    step.sink = &sink;
    Result<StepReport> report = group->Run(step);
    ASSERT_TRUE(report) << report.error().ToString();
    for (size_t i = 0; i < whole.size(); ++i) {
      const float wanted = output == 0 ? -x[i / 12 * 6 + i % 6] : std::max(x[i], 0.F);
      EXPECT_EQ(whole[i], wanted) << "output " << output << " element " << i;
    }
  }
}

TEST_P(EngineConformance, ReducesToOneRank) {
  auto group = Load("split_columns");
  ASSERT_NE(group, nullptr);
  const std::vector<float> ones(12, 1);
  KeepingSink sink(2, 3);
  Result<StepReport> report = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {4, 3}, ones)}, sink));
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(sink.values<float>(1, 2), std::vector<float>(12, 2));
}

TEST_P(EngineConformance, SplitInputReachesTheCollective) {
  auto group = Load("split_rows");
  ASSERT_NE(group, nullptr);
  const std::vector<float> a{1, 8, 3};
  const std::vector<float> b{4, 5, -6};
  KeepingSink sink(2, 2);
  const Step step{{{{ViewOf(DType::kFloat32, {1, 3}, a)}}, {{ViewOf(DType::kFloat32, {1, 3}, b)}}}, &sink};
  Result<StepReport> report = group->Run(step);
  ASSERT_TRUE(report) << report.error().ToString();
  EXPECT_EQ(sink.values<float>(1, 0), (std::vector<float>{8, 10, -12}));
  EXPECT_EQ(sink.values<float>(0, 1), (std::vector<float>{4, 8, 3}));
  EXPECT_EQ(sink.values<float>(1, 1), (std::vector<float>{4, 8, 3}));
}

TEST_P(EngineConformance, RunsCollectivesOfConstantsAndTwins) {
  auto group = Load("constant_and_twins");
  ASSERT_NE(group, nullptr);
  const std::vector<float> a{1, 2};
  const std::vector<float> b{3, 5};
  for (int i = 0; i < 3; ++i) {
    KeepingSink sink(2, 1);
    const Step step{{{{ViewOf(DType::kFloat32, {2}, a)}}, {{ViewOf(DType::kFloat32, {2}, b)}}}, &sink};
    Result<StepReport> report = group->Run(step);
    ASSERT_TRUE(report) << report.error().ToString();
    EXPECT_EQ(sink.values<float>(0, 0), (std::vector<float>{11 + 8, 11 + 14}));
    EXPECT_EQ(sink.values<float>(1, 0), (std::vector<float>{11 + 8, 11 + 14}));
  }
}

TEST_P(EngineConformance, GathersEveryTypeBitByBit) {
  for (DType type : {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8, DType::kInt32,
                     DType::kInt64, DType::kBool}) {
    auto group = Load("type_" + std::string(DTypeName(type)));
    ASSERT_NE(group, nullptr);
    // Zeros and ones are values of every type; the pattern tells the ranks and the places apart.
    const size_t size = static_cast<size_t>(BitsOf(type)) / 8;
    std::vector<std::byte> one(size);
    if (IsFloat(type)) {
      one[size - 1] = std::byte{0x40};  // a power of two
    } else {
      one[0] = std::byte{1};
    }
    std::vector<std::vector<std::byte>> sent(2);
    for (int r = 0; r < 2; ++r) {
      for (int i = 0; i < 6; ++i) {
        const std::vector<std::byte> element = (i + r) % 3 == 0 ? one : std::vector<std::byte>(size);
        sent[static_cast<size_t>(r)].insert(sent[static_cast<size_t>(r)].end(), element.begin(),
                                            element.end());
      }
    }
    KeepingSink sink(2, 1);
    const Step step{{{{ViewOf(type, {3, 2}, sent[0])}}, {{ViewOf(type, {3, 2}, sent[1])}}}, &sink};
    Result<StepReport> report = group->Run(step);
    ASSERT_TRUE(report) << DTypeName(type) << ": " << report.error().ToString();
    std::vector<std::byte> wanted = sent[0];
    wanted.insert(wanted.end(), sent[1].begin(), sent[1].end());
    for (int r = 0; r < 2; ++r) {
      EXPECT_EQ(sink.of(r, 0).type, type);
      EXPECT_EQ(sink.of(r, 0).shape, (Shape{6, 2}));
      EXPECT_EQ(sink.of(r, 0).bytes, wanted) << DTypeName(type) << " rank " << r;
    }
  }
}

TEST_P(EngineConformance, DoesNotWriteToItsInputs) {
  auto group = Load("split_columns");  // a Relu and a Neg of the input itself
  ASSERT_NE(group, nullptr);
  const std::vector<float> x = conformance::Ramp(12, -5);
  const std::vector<float> before = x;
  KeepingSink sink(2, 3);
  ASSERT_TRUE(group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {4, 3}, x)}, sink)));
  EXPECT_EQ(x, before);
}

TEST_P(EngineConformance, RefusesAWrongShapeAndGoesOn) {
  auto group = Load("mlp");
  ASSERT_NE(group, nullptr);
  const std::vector<float> x = conformance::Ramp(8);
  KeepingSink sink(2, 1);
  Result<StepReport> refused = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {8, 1}, x)}, sink));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalidArgument);
  EXPECT_EQ(refused.error().message, "rank 0: input 'x' is [8,1], the engine wants [-1,8]");
  EXPECT_TRUE(group->usable());
  EXPECT_TRUE(group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {1, 8}, x)}, sink)));
}

TEST_P(EngineConformance, ASinkThatRefusesFailsTheStepOnly) {
  for (const char* model : {"mlp", "mlp_fixed"}) {
    auto group = Load(model);
    ASSERT_NE(group, nullptr);
    const std::vector<float> x = conformance::Ramp(32);
    const std::vector<TensorView> inputs{ViewOf(DType::kFloat32, {4, 8}, x)};
    conformance::RefusingSink refusing;
    Result<StepReport> refused = group->Run(ReplicatedStep(2, inputs, refusing));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().message, "no room");
    EXPECT_TRUE(group->usable());
    KeepingSink sink(2, 1);
    ASSERT_TRUE(group->Run(ReplicatedStep(2, inputs, sink)));
    EXPECT_EQ(sink.values<float>(0, 0), conformance::MlpAnswer(x));
  }
}

TEST_P(EngineConformance, AnAbortedGroupRunsNoMore) {
  auto group = Load("mlp");
  ASSERT_NE(group, nullptr);
  group->Abort(Error{Code::kCancelled, "enough", -1, nullptr, 0});
  EXPECT_FALSE(group->usable());
  const std::vector<float> x = conformance::Ramp(8);
  KeepingSink sink(2, 1);
  Result<StepReport> refused = group->Run(ReplicatedStep(2, {ViewOf(DType::kFloat32, {1, 8}, x)}, sink));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnavailable);
}

TEST_P(EngineConformance, AMissingRankFileIsNamedWithItsRank) {
  const std::filesystem::path directory = Copy("mlp");
  const std::string file = (directory / "model.onnx.rank1").string();
  std::filesystem::remove(file);
  auto group = LoadFrom(directory);
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kNotFound);
  EXPECT_EQ(group.error().rank, 1);
  EXPECT_THAT(group.error().message, ::testing::HasSubstr(file));
}

TEST_P(EngineConformance, AFileThatIsNoModelIsNamedOnOneLine) {
  const std::filesystem::path directory = Copy("mlp");
  std::ofstream(directory / "model.onnx.rank1") << "this is not a model";
  auto group = LoadFrom(directory);
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kInvalidArgument);
  EXPECT_EQ(group.error().rank, 1);
  EXPECT_THAT(group.error().message, ::testing::HasSubstr("model.onnx.rank1"));
  EXPECT_THAT(group.error().message, ::testing::Not(::testing::HasSubstr("\n")));
}

TEST_P(EngineConformance, APlanOfOtherCollectivesIsRefused) {
  plan::Plan plan = *plan::ReadPlan(GetParam().models / "mlp");
  plan.collectives[0].reduce = ReduceOp::kMax;
  auto group = engine_->Load(plan, GetParam().models / "mlp", Deadline::Never());
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kInvalidArgument);
  EXPECT_THAT(group.error().message, ::testing::HasSubstr("'sum'"));

  plan.collectives.clear();
  group = engine_->Load(plan, GetParam().models / "mlp", Deadline::Never());
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kInvalidArgument);
}

TEST_P(EngineConformance, LoadingStopsAtItsDeadline) {
  auto group = LoadFrom(GetParam().models / "mlp", Deadline::In(std::chrono::nanoseconds(0)));
  ASSERT_FALSE(group);
  EXPECT_EQ(group.error().code, Code::kDeadline);
}

}  // namespace tessera::engine
