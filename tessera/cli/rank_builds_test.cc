#include "tessera/cli/rank_builds.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// A program in place of the real one: a shell script that gets REQUEST and REPORT as $1 and $2.
class BuildRanksTest : public ::testing::Test {
 protected:
  Result<std::vector<build::RankReport>> Run(const std::string& script, size_t ranks, size_t jobs = 2) {
    return Run(script, ranks, BuildSchedule{std::vector<std::vector<std::string>>(jobs)});
  }
  Result<std::vector<build::RankReport>> Run(const std::string& script, size_t ranks,
                                             const BuildSchedule& schedule) {
    const fs::path program = directory_.path() / "builder";
    EXPECT_TRUE(WriteFileAtomically(program, "#!/bin/sh\n" + script + "\n"));
    fs::permissions(program, fs::perms::owner_all);
    std::vector<build::RankRequest> requests(ranks);
    for (size_t r = 0; r < ranks; ++r) requests[r].model = fmt::format("model.onnx.rank{}", r);
    requests.front().next_timing_cache = directory_.path() / "timings";
    return BuildRanks(program, requests, directory_.path(), schedule,
                      [&](size_t done) { progress_.push_back(done); });
  }
  static std::string Report(const std::string& error) {
    return R"(echo '{"error":")" + error +
           R"(","version":"1.7.1","compute_capabilities":[],"network":[],"engine":[],"layers_listed":true,"timing_cache_error":""}' >$2)";
  }

  const tessera::testing::TemporaryDirectory directory_;
  std::vector<size_t> progress_;
};

TEST_F(BuildRanksTest, EveryRankReports) {
  const auto reports = Run(Report(""), 5);
  ASSERT_TRUE(reports) << reports.error().message;
  ASSERT_EQ(reports->size(), 5u);
  for (const build::RankReport& report : *reports) EXPECT_EQ(report.version, "1.7.1");
  EXPECT_EQ(progress_.front(), 0u);
  EXPECT_EQ(progress_.back(), 5u);
}

TEST_F(BuildRanksTest, NoMoreRunAtATimeThanAsked) {
  const std::string alone = "mkdir " + (directory_.path() / "lock").string() + " || exit 3; " + Report("") +
                            "; rmdir " + (directory_.path() / "lock").string();
  EXPECT_TRUE(Run(alone, 3, 1));
}

TEST_F(BuildRanksTest, EachThatRunsHasAPlaceToItself) {
  const std::string lock = (directory_.path() / "lock.$GPU").string();
  const std::string script = "case $GPU in a|b) ;; *) exit 3;; esac; mkdir " + lock + " || exit 4; " +
                             Report("") + "; rmdir " + lock;
  const auto reports = Run(script, 6, BuildSchedule{{{"GPU=a"}, {"GPU=b"}}});
  EXPECT_TRUE(reports) << reports.error().message;
}

TEST_F(BuildRanksTest, TheOthersStartFromTheTimingsOfTheFirst) {
  const std::string timings = (directory_.path() / "timings").string();
  const std::string script = "case $1 in *.0) grep -q '\"timing_cache\": \"\"' $1 && sleep 0.2 && touch " +
                             timings + ";; *) test -f " + timings + " && grep -q '\"timing_cache\": \"" +
                             timings + "\"' $1;; esac || exit 3; " + Report("");
  const auto reports = Run(script, 4, BuildSchedule{std::vector<std::vector<std::string>>(4), true});
  EXPECT_TRUE(reports) << reports.error().message;
}

TEST_F(BuildRanksTest, WhatARankReportsIsTheErrorWithTheRankInFront) {
  const auto reports =
      Run("case $1 in *.1) " + Report("node x (Foo): no such op") + ";; *) " + Report("") + ";; esac", 2);
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().message, "rank 1: node x (Foo): no such op");
}

TEST_F(BuildRanksTest, ACrashIsAnErrorThatNamesTheSignalAndEndsTheOthers) {
  const auto reports = Run("case $1 in *.0) kill -SEGV $$;; *) exec sleep 600;; esac", 2);
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().message,
            "rank 0: 'builder' ended with signal 11 (Segmentation fault) while building 'model.onnx.rank0'");
}

TEST_F(BuildRanksTest, AReportThatCannotBeWrittenIsNamed) {
  const auto reports = Run("exit 1", 1);
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().message, "rank 0: '" + (directory_.path() / "report.0").string() +
                                         "' cannot be written, is there room on the disk?");
}

TEST_F(BuildRanksTest, AProgramThatWritesNoReportIsAnError) {
  const auto reports = Run("exit 0", 1);
  ASSERT_FALSE(reports);
  EXPECT_EQ(reports.error().code, Code::kNotFound);
}

}  // namespace
}  // namespace tessera::cli
