#include <gtest/gtest.h>

#include <functional>
#include <limits>

#include "tessera/plan/testing/sample_plan.h"

namespace tessera::plan {
namespace {

struct BadPlan {
  std::function<void(Plan&)> spoil;
  const char* line;
};

class ValidatePlan : public ::testing::TestWithParam<BadPlan> {};

TEST(ValidatePlan, TakesTheSample) {
  EXPECT_TRUE(Validate(SamplePlan()));
}

TEST(ValidatePlan, TakesABuiltOne) {
  EXPECT_TRUE(Validate(SampleBuiltPlan()));
}

TEST(ValidatePlan, TakesOneRankWithoutAMesh) {
  Plan plan = SamplePlan();
  plan.ranks.resize(1);
  plan.mesh.clear();
  plan.collectives.clear();
  plan.outputs.clear();
  plan.source_sha256 = "";
  EXPECT_TRUE(Validate(plan));
}

TEST_P(ValidatePlan, NamesWhatIsWrong) {
  Plan plan = SamplePlan();
  GetParam().spoil(plan);
  Result<void> checked = Validate(plan);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, Code::kInvalidArgument);
  EXPECT_EQ(checked.error().message, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ValidatePlan,
    ::testing::Values(
        BadPlan{[](Plan& p) { p.ranks.clear(); }, "'ranks' is empty, wanted at least one"},
        BadPlan{[](Plan& p) { p.mesh[0].size = 3; }, "'mesh' has 3 places, 'ranks' has 2"},
        BadPlan{[](Plan& p) { p.mesh[0].size = 0; }, "mesh axis 'tp' has size 0, wanted at least 1"},
        BadPlan{[](Plan& p) {
                  p.mesh.push_back({"tp", 1});
                },
                "'mesh' has the axis 'tp' twice"},
        BadPlan{[](Plan& p) {
                  p.mesh.push_back({"", 1});
                },
                "'mesh' has an axis without a name"},
        BadPlan{[](Plan& p) { p.ranks[1].model.file = "/etc/passwd"; },
                "rank 1: file '/etc/passwd' is not a path inside the plan's directory"},
        BadPlan{[](Plan& p) { p.ranks[1].weights[0].file = "a/../../b"; },
                "rank 1: file 'a/../../b' is not a path inside the plan's directory"},
        BadPlan{[](Plan& p) { p.ranks[0].model.file = ""; },
                "rank 0: file '' is not a path inside the plan's directory"},
        BadPlan{[](Plan& p) { p.ranks[0].model.sha256 = "12"; },
                "rank 0: sha256 of 'model.onnx.rank0' is '12', wanted 64 hex digits"},
        BadPlan{[](Plan& p) { std::swap(p.ranks[0], p.ranks[1]); },
                "rank 0: 'model.onnx.rank1' is another rank's by its name"},
        BadPlan{[](Plan& p) { p.source_sha256 = "x"; }, "'source_sha256' is 'x', wanted 64 hex digits"},
        BadPlan{[](Plan& p) { p.inputs[1].layout.axis = 2; }, "input 'y' is split on axis 2 of 2"},
        BadPlan{[](Plan& p) { p.inputs[1].spec.shape[1] = 7; },
                "input 'y' is [4,7]: axis 1 does not divide by 2 ranks"},
        BadPlan{[](Plan& p) { p.inputs[0].spec.shape[0] = -2; }, "input 'x' is [-2,8], wanted sizes from -1"},
        BadPlan{[](Plan& p) { p.inputs[0].multiples = {2, 2, 2, 2, 2, 2, 2}; },
                "input 'x' has 7 multiples for 2 dimensions"},
        BadPlan{[](Plan& p) { p.inputs[0].dim_names.clear(); },
                "input 'x' has 0 dimension names for 2 dimensions"},
        BadPlan{[](Plan& p) { p.inputs[1].spec.name = "x"; }, "input 'x' stands there twice"},
        BadPlan{[](Plan& p) { p.outputs[0].layout.rank = Rank{2}; }, "output 'z' is on rank 2 of 2"},
        BadPlan{[](Plan& p) { p.outputs[0].spec.type = DType::kUndefined; }, "output 'z' has no type"},
        BadPlan{[](Plan& p) { p.collectives[0].reduce = ReduceOp::kNone; },
                "collective 'sum0' is all_reduce with reduction none"},
        BadPlan{[](Plan& p) { p.collectives[0].axis = "cp"; },
                "collective 'sum0' is over the axis 'cp', which the mesh has not"},
        BadPlan{[](Plan& p) { p.collectives[1].name = "sum0"; }, "collective 'sum0' stands there twice"},
        BadPlan{[](Plan& p) { p.engine = ""; }, "'engine' is empty, wanted openvino or tensorrt"},
        BadPlan{[](Plan& p) { p.predicted_us = std::numeric_limits<double>::quiet_NaN(); },
                "'predicted_us' is nan, wanted a number from 0"}));

class ValidateBuild : public ::testing::TestWithParam<BadPlan> {};

TEST_P(ValidateBuild, NamesWhatIsWrong) {
  Plan plan = SampleBuiltPlan();
  GetParam().spoil(plan);
  Result<void> checked = Validate(plan);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ValidateBuild,
    ::testing::Values(
        BadPlan{[](Plan& p) { p.build->library = ""; }, "'build.library' is empty"},
        BadPlan{[](Plan& p) { p.build->sources.pop_back(); }, "'build.sources' has 1 ranks, 'ranks' has 2"},
        BadPlan{[](Plan& p) { p.build->sources[1].model.file = "../x"; },
                "rank 1: file '../x' is not a path inside the plan's directory"},
        BadPlan{[](Plan& p) { p.build->profiles[0][0].input = "w"; },
                "a profile is for the input 'w', which the model has not"},
        BadPlan{[](Plan& p) { p.build->profiles[0][0].most[0] = 4; },
                "profile of input 'x' ([-1,8]): min [1,8], opt [8,8], max [4,8] are no range of it"},
        BadPlan{[](Plan& p) { p.build->profiles[1][0].least = {1}; },
                "profile of input 'x' ([-1,8]): min [1], opt [64,8], max [64,8] are no range of it"}));

class ValidateProbe : public ::testing::TestWithParam<BadPlan> {};

TEST_P(ValidateProbe, NamesWhatIsWrong) {
  Plan plan = SampleProbedPlan();
  ASSERT_TRUE(Validate(plan));
  GetParam().spoil(plan);
  Result<void> checked = Validate(plan);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().message, GetParam().line);
}

INSTANTIATE_TEST_SUITE_P(
    Each, ValidateProbe,
    ::testing::Values(
        BadPlan{[](Plan& p) { p.probe->inputs.pop_back(); }, "'probe' has 1 inputs, the model has 2"},
        BadPlan{[](Plan& p) {
                  p.probe->inputs[0] = {kDynamic, 8};
                },
                "'probe': input 'x' is [-1,8], the model's is FP32 [-1,8]"},
        BadPlan{[](Plan& p) {
                  p.probe->inputs[0] = {int64_t{1} << 60, 8};
                },
                "'probe': input 'x' is [1152921504606846976,8], the model's is FP32 [-1,8]"},
        BadPlan{[](Plan& p) { p.probe->outputs[0] = {1}; },
                "'probe': output 'z' is [1], the model's is FP16 []"},
        BadPlan{[](Plan& p) { p.probe->tolerances = {}; }, "'probe' has 0 tolerances for 1 outputs"},
        BadPlan{[](Plan& p) { p.probe->tolerances = {-1}; },
                "'probe' has the tolerance -1, wanted a number from 0"},
        BadPlan{[](Plan& p) { p.probe->file.file = "/dev/zero"; },
                "probe: file '/dev/zero' is not a path inside the plan's directory"},
        BadPlan{[](Plan& p) { p.probe->file.bytes = ByteCount{7}; },
                "'probe': 'probe.bin' has 7 bytes, its tensors 258"}));

}  // namespace
}  // namespace tessera::plan
