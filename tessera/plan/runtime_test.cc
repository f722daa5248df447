#include "tessera/plan/runtime.h"

#include <gmock/gmock.h>

#include "tessera/plan/testing/sample_plan.h"

namespace tessera::plan {
namespace {

using ::testing::HasSubstr;

// Built by 1.7.1 for 8.0 and 12.0, to be loaded where `here` is.
std::string Refusal(const Runtime& here) {
  Build build;
  build.library = "tensorrt_rtx";
  build.version = "1.7.1";
  build.compute_capabilities = {"8.0", "12.0"};
  const Result<void> checked = CheckRuntime(build, here);
  return checked ? "" : checked.error().message;
}

TEST(CheckRuntime, TakesTheVersionAndTheGpusThatItWasBuiltFor) {
  EXPECT_EQ(Refusal({"tensorrt_rtx", "1.7.1", {"8.0", "12.0"}}), "");
}

TEST(CheckRuntime, NamesBothVersions) {
  EXPECT_THAT(Refusal({"tensorrt_rtx", "1.7.2", {"8.0"}}),
              HasSubstr("built by tensorrt_rtx 1.7.1, this program runs tensorrt_rtx 1.7.2"));
  EXPECT_THAT(Refusal({"tensorrt", "1.7.1", {"8.0"}}), HasSubstr("this program runs tensorrt 1.7.1"));
}

TEST(CheckRuntime, TakesAnyVersionWhereEnginesMayBringTheirOwn) {
  Runtime here{"tensorrt_rtx", "1.7.2", {"8.0"}};
  here.any_version = true;
  EXPECT_EQ(Refusal(here), "");
  here.library = "tensorrt";
  EXPECT_NE(Refusal(here), "");
}

TEST(CheckRuntime, NamesTheRankWhoseGpuIsAnother) {
  EXPECT_THAT(Refusal({"tensorrt_rtx", "1.7.1", {"8.0", "9.0"}}),
              HasSubstr("rank 1: its GPU has compute capability 9.0, the engines were built for 8.0, 12.0"));
}

TEST(CheckBuilt, NamesTheOnnxFileOfAModelThatTensorRtIsToRun) {
  Plan plan = SamplePlan();
  EXPECT_FALSE(IsUnbuilt(plan)) << "OpenVINO runs it as it is";
  plan.engine = "tensorrt";
  EXPECT_TRUE(IsUnbuilt(plan));
  EXPECT_EQ(
      CheckBuilt(plan).error().message,
      "'model.onnx.rank0' of 'mlp' is an ONNX file, wanted a TensorRT engine: `tessera build` makes the "
      "ranks' engines");
  EXPECT_TRUE(CheckBuilt(SampleBuiltPlan()));
}

}  // namespace
}  // namespace tessera::plan
