#include "tessera/cli/inspect.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

TEST(Inspect, TextNamesRanksLayoutsAndCollectives) {
  plan::Plan plan = TestPlan();
  plan.outputs[0].layout = {plan::Layout::Kind::kSplit, 1, Rank{0}};
  const std::string text = InspectText(plan);
  EXPECT_THAT(text, HasSubstr("toy: tensor over 2 ranks (tp = 2), engine openvino"));
  EXPECT_THAT(text, HasSubstr("model.onnx.rank1"));
  EXPECT_THAT(text, HasSubstr("split on axis 1"));
  EXPECT_THAT(text, HasSubstr("layer.1"));
}

TEST(Inspect, TellsHowEnginesWereBuilt) {
  plan::Plan plan = TestPlan();
  EXPECT_FALSE(InspectJson(plan).contains("build"));
  plan.build = plan::Build{"tensorrt_rtx", "1.7.1", {"8.0", "12.0"}, false, {{}}, {}};
  EXPECT_THAT(InspectText(plan),
              HasSubstr("by tensorrt_rtx 1.7.1 for compute capability 8.0, 12.0, 1 profile, no TF32"));
  EXPECT_EQ(InspectJson(plan)["build"]["version"], "1.7.1");
}

TEST(Inspect, JsonCountsAllFilesOfARank) {
  plan::Plan plan = TestPlan();
  plan.ranks[1].weights = {{"weights.bin", ByteCount{50}, ""}};
  const auto json = InspectJson(plan);
  EXPECT_EQ(json["ranks"][0]["disk_bytes"], 100);
  EXPECT_EQ(json["ranks"][1]["disk_bytes"], 150);
  EXPECT_EQ(json["collectives"].size(), 2U);
  EXPECT_EQ(json["inputs"][0]["shape"], (std::vector<int64_t>{-1, -1}));
}

}  // namespace
}  // namespace tessera::cli
