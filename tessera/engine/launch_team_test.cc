#include "tessera/engine/launch_team.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <future>
#include <set>

#include "tessera/base/unfinished.h"

namespace tessera::engine {
namespace {

using std::chrono::nanoseconds;
using ::testing::HasSubstr;

constexpr nanoseconds kAlways = std::chrono::hours(1);

Result<void> Nothing(Rank) {
  return {};
}

std::unique_ptr<LaunchTeam> Team(int ranks, int helpers, nanoseconds awake_for,
                                 const LaunchTeam::Task& enter = Nothing) {
  auto team = LaunchTeam::Create(ranks, {helpers, awake_for}, enter);
  if (!team) ADD_FAILURE() << team.error().ToString();
  return team ? *std::move(team) : nullptr;
}

Deadline FarOff() {
  return Deadline::In(std::chrono::minutes(10));
}

// The test's own timeout is the bound.
template <class Done>
void Until(Done done) {
  while (!done()) std::this_thread::yield();
}

void AwaitAsleep(const LaunchTeam& team, int helpers) {
  Until([&] { return team.asleep() == helpers; });
}

// As long as a launch takes, and helpers get a core: they find something left.
void LaunchSomething() {
  const auto end = std::chrono::steady_clock::now() + std::chrono::microseconds(3);
  while (std::chrono::steady_clock::now() < end) std::this_thread::yield();
}

// The threads that launched ranks 0, 1, ..
std::vector<std::thread::id> LaunchersOf(LaunchTeam& team, int ranks) {
  std::vector<std::thread::id> launchers(static_cast<size_t>(ranks));
  const Result<void> run = team.Run(
      [&](Rank rank) -> Result<void> {
        launchers[static_cast<size_t>(rank.value())] = std::this_thread::get_id();
        LaunchSomething();
        return {};
      },
      FarOff());
  EXPECT_TRUE(run.has_value());
  return launchers;
}

// Returns once every rank is being launched: so each is by a thread of its own.
template <size_t kRanks>
Result<void> RunTogether(LaunchTeam& team, std::array<std::thread::id, kRanks>& launchers) {
  std::atomic<size_t> begun{0};
  return team.Run(
      [&](Rank rank) -> Result<void> {
        launchers[static_cast<size_t>(rank.value())] = std::this_thread::get_id();
        ++begun;
        Until([&] { return begun == kRanks; });
        return {};
      },
      FarOff());
}

// Helpers: none, and one for every other rank; awake, asleep, and always about to change.
TEST(LaunchTeam, LaunchesEveryRankOnce) {
  for (const int helpers : {0, 1, 4}) {
    for (const nanoseconds awake_for : {nanoseconds(0), nanoseconds(5'000), kAlways}) {
      constexpr int kRanks = 5;
      auto team = Team(kRanks, helpers, awake_for);
      std::array<int, kRanks> launched{};  // not atomic on purpose: Run orders
      for (int round = 1; round <= 1000; ++round) {
        ASSERT_TRUE(team->Run(
            [&](Rank rank) -> Result<void> {
              ++launched[static_cast<size_t>(rank.value())];
              if (round % 16 == 0) LaunchSomething();
              return {};
            },
            FarOff()));
        for (const int times : launched) ASSERT_EQ(times, round);
      }
    }
  }
}

TEST(LaunchTeam, TakesAsManyRanksAsAWordHasBits) {
  auto team = Team(LaunchTeam::kMostRanks, 1, kAlways);
  std::atomic<uint64_t> launched{0};
  ASSERT_TRUE(team->Run(
      [&](Rank rank) -> Result<void> {
        launched ^= uint64_t{1} << rank.value();
        return {};
      },
      FarOff()));
  EXPECT_EQ(launched, ~uint64_t{0});
  EXPECT_EQ(LaunchTeam::Create(LaunchTeam::kMostRanks + 1, {}, Nothing).error().code, Code::kUnsupported);
}

TEST(LaunchTeam, HelpersThatAreAwakeLaunchAtTheSameTime) {
  auto team = Team(3, 2, kAlways);
  std::array<std::thread::id, 3> launchers{};
  EXPECT_TRUE(RunTogether(*team, launchers));
}

TEST(LaunchTeam, AHelperBeginsWithTheRankThatItEnteredWith) {
  std::array<std::thread::id, 3> entered{};
  auto team = Team(3, 2, kAlways, [&](Rank rank) -> Result<void> {
    entered[static_cast<size_t>(rank.value())] = std::this_thread::get_id();
    return {};
  });
  std::array<std::thread::id, 3> launchers{};
  ASSERT_TRUE(RunTogether(*team, launchers));
  EXPECT_EQ(launchers[0], std::this_thread::get_id());
  EXPECT_EQ(launchers[1], entered[1]);
  EXPECT_EQ(launchers[2], entered[2]);
}

TEST(LaunchTeam, TheCallerLaunchesAllWhileHelpersSleep) {
  auto team = Team(4, 3, nanoseconds(0));
  AwaitAsleep(*team, 3);
  for (const std::thread::id launcher : LaunchersOf(*team, 4))
    EXPECT_EQ(launcher, std::this_thread::get_id());
}

TEST(LaunchTeam, WakesHelpersOnlyForStepsThatFollowEachOther) {
  auto team = Team(2, 1, std::chrono::milliseconds(20));
  AwaitAsleep(*team, 1);
  LaunchersOf(*team, 2);
  EXPECT_EQ(team->asleep(), 1) << "a single step wakes nobody";
  std::set<std::thread::id> launchers;
  Until([&] {
    for (const std::thread::id launcher : LaunchersOf(*team, 2)) launchers.insert(launcher);
    return launchers.size() == 2;
  });
  AwaitAsleep(*team, 1);  // no step follows
}

TEST(LaunchTeam, AnErrorComesBackWithItsRank) {
  for (const int helpers : {0, 3}) {
    auto team = Team(4, helpers, kAlways);
    const Result<void> run = team->Run(
        [](Rank rank) -> Result<void> {
          if (rank == Rank(2)) return Fail(Code::kUnavailable, "no launch today");
          return {};
        },
        FarOff());
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, Code::kUnavailable);
    EXPECT_EQ(run.error().rank, 2);
    EXPECT_TRUE(team->Run(Nothing, FarOff())) << "an error is that of one step";
  }
}

TEST(LaunchTeam, BeginsNoRankAfterAnError) {
  auto team = Team(3, 0, kAlways);
  std::vector<int> begun;
  EXPECT_FALSE(team->Run(
      [&](Rank rank) -> Result<void> {
        begun.push_back(rank.value());
        if (rank == Rank(1)) return Fail(Code::kInternal, "failed");
        return {};
      },
      FarOff()));
  EXPECT_THAT(begun, ::testing::ElementsAre(0, 1));
}

TEST(LaunchTeam, AHelperThatCannotEnterFailsItsRank) {
  auto team = Team(2, 1, kAlways, [](Rank) { return Result<void>(Fail(Code::kUnavailable, "no such GPU")); });
  std::optional<Error> error;
  Until([&] {  // until the helper is the faster one
    const Result<void> run = team->Run(
        [](Rank) -> Result<void> {
          LaunchSomething();
          return {};
        },
        FarOff());
    if (!run) error = run.error();
    return error.has_value();
  });
  EXPECT_EQ(error->rank, 1);
  EXPECT_THAT(error->message, HasSubstr("no such GPU"));
}

TEST(LaunchTeam, AHelperThatIsStuckIsNamedAndLeftBehind) {
  auto stuck = std::make_shared<std::promise<void>>();
  {
    auto team = Team(2, 1, kAlways);
    auto begun = std::make_shared<std::atomic<bool>>(false);
    const Result<void> run = team->Run(
        [begun, released = stuck->get_future().share()](Rank rank) -> Result<void> {
          if (rank == Rank(0)) {
            Until([&] { return begun->load(); });
          } else {
            *begun = true;
            released.wait();
          }
          return {};
        },
        Deadline::In(std::chrono::milliseconds(1)));
    ASSERT_FALSE(run);
    EXPECT_EQ(run.error().code, Code::kDeadline);
    EXPECT_THAT(run.error().message, HasSubstr("the launch of rank 1 of 2"));
  }
  EXPECT_EQ(Unfinished::count(), 1);
  stuck->set_value();  // what it uses is still there
  Until([] { return Unfinished::count() == 0; });
}

TEST(LaunchTeam, TakesHelpersWhereTheyPayOff) {
  EXPECT_EQ(LaunchTeam::HelpersFor(1, 64), 0);
  EXPECT_EQ(LaunchTeam::HelpersFor(2, 64), 0);
  EXPECT_EQ(LaunchTeam::HelpersFor(4, 64), 3);
  EXPECT_EQ(LaunchTeam::HelpersFor(8, 64), 3);
  EXPECT_EQ(LaunchTeam::HelpersFor(4, 8), 2);
  EXPECT_EQ(LaunchTeam::HelpersFor(4, 2), 0);
  EXPECT_EQ(LaunchTeam::HelpersFor(4, 0), 0) << "a machine that does not tell its cores";
}

}  // namespace
}  // namespace tessera::engine
