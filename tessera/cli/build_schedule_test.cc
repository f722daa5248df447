#include "tessera/cli/build_schedule.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<Gpu> kThreeAlike(3, Gpu{"H200", ByteCount{0}, "9.0"});

TEST(GpusToBuildOn, AreAllThatThisProcessSees) {
  EXPECT_THAT(GpusToBuildOn(kThreeAlike, nullptr), ElementsAre("0", "1", "2"));
  EXPECT_THAT(GpusToBuildOn(kThreeAlike, "2,GPU-8a,0"), ElementsAre("2", "GPU-8a", "0"));
  EXPECT_THAT(GpusToBuildOn(kThreeAlike, "1,-1,2"), ElementsAre("1"));
  EXPECT_THAT(GpusToBuildOn(kThreeAlike, "1,3"), ElementsAre("1"));
  EXPECT_THAT(GpusToBuildOn(kThreeAlike, ""), IsEmpty());
  EXPECT_THAT(GpusToBuildOn({}, nullptr), IsEmpty());
}

TEST(GpusToBuildOn, AreNotOfSeveralComputeCapabilities) {
  EXPECT_THAT(GpusToBuildOn({{"A", ByteCount{0}, "9.0"}, {"B", ByteCount{0}, "8.0"}}, nullptr), IsEmpty());
}

TEST(BuildSchedule, HasAsManyPlacesAsJobs) {
  const EngineBuilder measures{"tensorrt", "builder", {}, true};
  const EngineBuilder other{"tensorrt-rtx", "builder", {}, false};
  EXPECT_EQ(ScheduleFor(other, 3, "").places.size(), 3u);
  EXPECT_EQ(ScheduleFor(measures, 3, "").places.size(), 3u);
  EXPECT_GE(ScheduleFor(other, 0, "").places.size(), 1u);
  EXPECT_GE(ScheduleFor(measures, 0, "").places.size(), 1u);
  EXPECT_TRUE(ScheduleFor(measures, 1, "").first_alone);
  EXPECT_FALSE(ScheduleFor(other, 1, "").first_alone);
}

TEST(BuildSchedule, ALibrarysFolderIsSearchedFirst) {
  const EngineBuilder builder{"tensorrt-rtx", "builder", {}, false};
  const char* before = std::getenv("LD_LIBRARY_PATH");
  const std::string rest = before == nullptr || *before == '\0' ? "" : std::string(":") + before;
  EXPECT_THAT(ScheduleFor(builder, 1, "/opt/trt/libnvinfer.so.11").places.front(),
              ElementsAre("LD_LIBRARY_PATH=/opt/trt" + rest));
  EXPECT_THAT(ScheduleFor(builder, 1, "libnvinfer.so.11").places.front(), IsEmpty());
}

}  // namespace
}  // namespace tessera::cli
