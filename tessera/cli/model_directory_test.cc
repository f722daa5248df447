#include "tessera/cli/model_directory.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera::cli {
namespace {

using ::testing::HasSubstr;

void Touch(const std::filesystem::path& file) {
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file) << "{}";
}

TEST(FindVersion, TakesTheHighestNumberThatHoldsAModel) {
  tessera::testing::TemporaryDirectory directory;
  for (const char* version : {"2", "10", "9"}) Touch(directory.path() / version / "plan.json");
  std::filesystem::create_directories(directory.path() / "11");  // holds nothing
  Touch(directory.path() / "12x" / "plan.json");                 // no version
  EXPECT_EQ(FindVersion(directory.path()).value_or(""), directory.path() / "10");
}

TEST(FindVersion, TakesAVersionDirectoryItself) {
  tessera::testing::TemporaryDirectory directory;
  Touch(directory.path() / "model.onnx");
  EXPECT_EQ(FindVersion(directory.path()).value_or(""), directory.path());
}

TEST(FindVersion, SaysWhatIsMissing) {
  tessera::testing::TemporaryDirectory directory;
  auto empty = FindVersion(directory.path());
  ASSERT_FALSE(empty);
  EXPECT_THAT(empty.error().message, HasSubstr("holds no model: no plan.json"));
  auto none = FindVersion(directory.path() / "x");
  ASSERT_FALSE(none);
  EXPECT_THAT(none.error().message, HasSubstr("no model directory"));
}

TEST(CheckModelName, RefusesWhatLeavesTheRepository) {
  for (const char* name : {"", ".", "..", "a/b", ".hidden"}) EXPECT_FALSE(CheckModelName(name)) << name;
  EXPECT_TRUE(CheckModelName("paraphrase-MiniLM-L3-v2"));
}

}  // namespace
}  // namespace tessera::cli
