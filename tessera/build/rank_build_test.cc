#include "tessera/build/rank_build.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"

namespace tessera::build {
namespace {

TEST(RankRequestFile, IsReadAsItWasWritten) {
  const tessera::testing::TemporaryDirectory directory;
  RankRequest request;
  request.model = "a/model.onnx.rank0";
  request.engine = "b/model.plan.rank0";
  request.libraries = {"libtensorrt_rtx.so.1", "/opt/lib.so"};
  request.compute_capabilities = {80, 120};
  request.tf32 = false;
  request.profiles = {{{"ids", {1, 2}, {3, 4}, {5, 6}}}, {}};
  request.timing_cache = "c";
  request.next_timing_cache = "d";
  request.verbose = true;
  ASSERT_TRUE(WriteRequest(request, directory.path() / "request"));
  const Result<RankRequest> again = ReadRequest(directory.path() / "request");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->model, request.model);
  EXPECT_EQ(again->engine, request.engine);
  EXPECT_EQ(again->libraries, request.libraries);
  EXPECT_EQ(again->compute_capabilities, request.compute_capabilities);
  EXPECT_EQ(again->tf32, request.tf32);
  EXPECT_EQ(again->profiles, request.profiles);
  EXPECT_EQ(again->timing_cache, request.timing_cache);
  EXPECT_EQ(again->next_timing_cache, request.next_timing_cache);
  EXPECT_EQ(again->verbose, request.verbose);
}

TEST(RankReportFile, IsReadAsItWasWritten) {
  const tessera::testing::TemporaryDirectory directory;
  const RankReport report{"no", "1.7.1", {"8.0"}, {"sum"}, {{"sum", "comm_allreduce", true}}, true, "old"};
  ASSERT_TRUE(WriteReport(report, directory.path() / "report"));
  const Result<RankReport> again = ReadReport(directory.path() / "report");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->error, report.error);
  EXPECT_EQ(again->version, report.version);
  EXPECT_EQ(again->compute_capabilities, report.compute_capabilities);
  EXPECT_EQ(again->network, report.network);
  EXPECT_EQ(again->engine, report.engine);
  EXPECT_EQ(again->layers_listed, report.layers_listed);
  EXPECT_EQ(again->timing_cache_error, report.timing_cache_error);
}

TEST(RankReportFile, SomethingElseIsAnErrorThatNamesTheFile) {
  const tessera::testing::TemporaryDirectory directory;
  ASSERT_TRUE(WriteFileAtomically(directory.path() / "report", "{}"));
  const Result<RankReport> report = ReadReport(directory.path() / "report");
  ASSERT_FALSE(report);
  EXPECT_NE(report.error().message.find("report"), std::string::npos);
}

}  // namespace
}  // namespace tessera::build
