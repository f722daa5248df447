// Which way wins, given times and links.
#include "tessera/engine/tensorrt/replication_choice.h"

#include <gtest/gtest.h>

namespace tessera::engine {
namespace {

using std::chrono::microseconds;

constexpr size_t kSmall = 128 << 10;
constexpr size_t kMiddle = 1 << 20;
constexpr size_t kLarge = 8 << 20;

std::vector<ReplicationTime> Times(std::initializer_list<std::pair<int, int>> copied_and_gathered) {
  constexpr size_t kSizes[] = {kSmall, kMiddle, kLarge};
  std::vector<ReplicationTime> times;
  for (const auto& [copied, gathered] : copied_and_gathered) {
    times.push_back({kSizes[times.size()], microseconds(copied), microseconds(gathered)});
  }
  return times;
}

TEST(FasterGatheredFrom, IsTheFirstSizeFromWhichOnGatheringWins) {
  EXPECT_EQ(FasterGatheredFrom(Times({{12, 30}, {60, 45}, {420, 230}})), kMiddle);
  EXPECT_EQ(FasterGatheredFrom(Times({{12, 8}, {60, 45}, {420, 230}})), kSmall);
  EXPECT_EQ(FasterGatheredFrom(Times({{12, 30}, {60, 60}, {420, 230}})), kLarge);
}

TEST(FasterGatheredFrom, IsNeverWhereCopiesWinAtTheLargestSize) {
  EXPECT_EQ(FasterGatheredFrom(Times({{12, 30}, {60, 90}, {420, 700}})), SIZE_MAX);
  EXPECT_EQ(FasterGatheredFrom(Times({{12, 8}, {60, 45}, {420, 700}})), SIZE_MAX);
  EXPECT_EQ(FasterGatheredFrom({}), SIZE_MAX);
}

TEST(FasterGatheredFrom, TakesCopiesWhereBothAreAsFast) {
  EXPECT_EQ(FasterGatheredFrom(Times({{100, 91}})), SIZE_MAX);
  EXPECT_EQ(FasterGatheredFrom(Times({{100, 89}})), kSmall);
}

TEST(GatherSizesFor, CopiesFromARanksGpuToAsManyAsItsLinksCarry) {
  EXPECT_EQ(GatherSizesFor(kSmall, 2, true).from_gpu, SIZE_MAX);
  EXPECT_EQ(GatherSizesFor(kSmall, 4, true).from_gpu, SIZE_MAX);
  EXPECT_EQ(GatherSizesFor(kSmall, 8, true).from_gpu, kSmall);
  EXPECT_EQ(GatherSizesFor(kSmall, 2, false).from_gpu, SIZE_MAX);
  EXPECT_EQ(GatherSizesFor(kSmall, 4, false).from_gpu, kSmall);
  EXPECT_EQ(GatherSizesFor(kSmall, 4, true).from_host, kSmall);
}

TEST(FasterGatheredFrom, TakesWhatASlowMachineHadTimeFor) {
  EXPECT_EQ(FasterGatheredFrom(Times({{120, 300}, {600, 450}})), kMiddle);
}

TEST(ReplicationText, TellsEverySizeAndBothTimes) {
  EXPECT_EQ(Described(Times({{21, 34}, {90, 61}})), "128 KB 21 us copied, 34 gathered; 1 MB 90, 61");
  EXPECT_EQ(SizeText(512 << 10), "512 KB");
  EXPECT_EQ(SizeText(1), "1 bytes");
}

constexpr DeviceId kZero{0};
constexpr DeviceId kOne{1};
constexpr DeviceId kTwo{2};

TEST(FirstNotLinked, IsNoneWhereEveryPairIsLinked) {
  int asked = 0;
  EXPECT_FALSE(FirstNotLinked({kZero, kOne, kTwo}, [&](DeviceId, DeviceId) -> Result<bool> {
    ++asked;
    return true;
  }));
  EXPECT_EQ(asked, 3);
}

TEST(FirstNotLinked, IsThePairThatIsNot) {
  auto bridged = [](DeviceId one, DeviceId other) -> Result<bool> {  // 0 and 1 have a bridge, 2 has none
    return one != kTwo && other != kTwo;
  };
  EXPECT_EQ(FirstNotLinked({kOne, kZero, kTwo}, bridged), std::pair(kOne, kTwo));
}

TEST(FirstNotLinked, IsAPairOfWhichNothingIsKnown) {
  auto silent = [](DeviceId, DeviceId) -> Result<bool> { return Fail(Code::kUnavailable, "no NVML here"); };
  EXPECT_EQ(FirstNotLinked({kZero, kOne}, silent), std::pair(kZero, kOne));
}

}  // namespace
}  // namespace tessera::engine
