#include "tessera/cli/build_schedule.h"

#include <cstdlib>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(GpusToBuildOn, AreThoseOfTheFirstOnesKind) {
  const build::VisibleGpu small{"GPU-a", "L4", 89};
  const build::VisibleGpu large{"GPU-b", "L40", 89};
  const build::VisibleGpu small_too{"GPU-c", "L4", 89};
  EXPECT_THAT(GpusToBuildOn({small, large, small_too}), ElementsAre("GPU-a", "GPU-c"));
  EXPECT_THAT(GpusToBuildOn({large, small, small_too}), IsEmpty());
  EXPECT_THAT(GpusToBuildOn({small}), IsEmpty());
  EXPECT_THAT(GpusToBuildOn({}), IsEmpty());
}

TEST(BuildSchedule, HasAsManyPlacesAsJobsAndNoMoreThanRanks) {
  const EngineBuilder measures{"tensorrt", "builder", {}, true};
  const EngineBuilder other{"tensorrt-rtx", "builder", {}, false};
  for (const EngineBuilder& builder : {measures, other}) {
    EXPECT_EQ(ScheduleFor(builder, 4, 3, "").places.size(), 3u);
    EXPECT_EQ(ScheduleFor(builder, 2, 1'000'000'000, "").places.size(), 2u);
    EXPECT_GE(ScheduleFor(builder, 4, 0, "").places.size(), 1u);
  }
  EXPECT_TRUE(ScheduleFor(measures, 4, 1, "").first_alone);
  EXPECT_FALSE(ScheduleFor(other, 4, 1, "").first_alone);
}

TEST(BuildSchedule, ALibrarysFolderIsSearchedBehindTheUsers) {
  const EngineBuilder builder{"tensorrt-rtx", "builder", {}, false};
  const char* users = std::getenv("LD_LIBRARY_PATH");
  const std::string before = users == nullptr || *users == '\0' ? "" : std::string(users) + ":";
  EXPECT_THAT(ScheduleFor(builder, 1, 1, "/opt/trt/libnvinfer.so.11").places.front(),
              ElementsAre("LD_LIBRARY_PATH=" + before + "/opt/trt"));
  EXPECT_THAT(ScheduleFor(builder, 1, 1, "libnvinfer.so.11").places.front(), IsEmpty());
}

}  // namespace
}  // namespace tessera::cli
