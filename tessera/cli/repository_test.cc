#include "tessera/cli/repository.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/cli/test_plan.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

Result<shard::Outcome> WriteToy(const fs::path& directory) {
  std::ofstream(directory / "plan.json") << "{}";
  return TestOutcome();
}

Result<shard::Outcome> WriteHalf(const fs::path& directory) {
  std::ofstream(directory / "model.onnx.rank0") << "half";
  return Fail(Code::kUnsupported, "no");
}

TEST(AddModel, MakesTheRepositoryWithTheModelInIt) {
  tessera::testing::TemporaryDirectory directory;
  const fs::path repository = directory.path() / "a" / "repo";
  ASSERT_TRUE(AddModel(repository, "toy", 64, WriteToy));
  EXPECT_TRUE(fs::exists(repository / "toy" / "config.pbtxt"));
  EXPECT_TRUE(fs::exists(repository / "toy" / "1" / "plan.json"));
  EXPECT_EQ(std::distance(fs::directory_iterator(repository), {}), 1);  // no temporary directory stays
}

TEST(AddModel, ShowsNoDirectoryInTheRepositoryBeforeTheModelIsWhole) {
  tessera::testing::TemporaryDirectory directory;
  const fs::path repository = directory.path() / "repo";
  auto look_and_write = [&](const fs::path& version) {
    EXPECT_TRUE(fs::is_empty(repository));  // Triton would take it for a model
    return WriteToy(version);
  };
  EXPECT_TRUE(AddModel(repository, "toy", 64, look_and_write));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(AddModel, LeavesNothingBehindOnAnError) {
  tessera::testing::TemporaryDirectory directory;
  auto outcome = AddModel(directory.path() / "a" / "repo", "toy", 64, WriteHalf);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().message, "no");
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(AddModel, KeepsARepositoryThatWasThere) {
  tessera::testing::TemporaryDirectory directory;
  EXPECT_FALSE(AddModel(directory.path(), "toy", 64, WriteHalf));
  EXPECT_TRUE(fs::is_directory(directory.path()));
  EXPECT_TRUE(fs::is_empty(directory.path()));
}

TEST(AddModel, RefusesAModelThatExists) {
  tessera::testing::TemporaryDirectory directory;
  fs::create_directories(directory.path() / "toy");
  auto outcome = AddModel(directory.path(), "toy", 64, WriteToy);
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kAlreadyExists);
  EXPECT_TRUE(fs::is_empty(directory.path() / "toy"));
}

}  // namespace
}  // namespace tessera::cli
