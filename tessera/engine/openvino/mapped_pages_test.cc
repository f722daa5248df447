#include "tessera/engine/openvino/mapped_pages.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"

namespace tessera::engine::openvino {
namespace {

// Of this process's file mappings.
long ResidentKilobytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("RssFile:")) return std::stol(line.substr(8));
  }
  return -1;
}

// The program's own pages hold addresses that were put in when it was loaded: a model in a directory above it
// must not take them away.
TEST(MappedPages, ProgramsAndLibrariesAreLeftAlone) {
  const auto program = std::filesystem::canonical("/proc/self/exe");
  ReleaseMappedPages(program.parent_path());
  ReleaseMappedPages("/usr");
  EXPECT_TRUE(std::filesystem::exists(program));
}

TEST(MappedPages, AreNotResidentAfterwardsAndStillReadable) {
  const tessera::testing::TemporaryDirectory temporary;
  const std::filesystem::path& directory = temporary.path();
  constexpr long kSize = 8 << 20;
  std::ofstream(directory / "weights.rank0") << std::string(kSize, 'w');
  auto mapped = MappedFile::Open(directory / "weights.rank0");
  ASSERT_TRUE(mapped);
  const auto all_there = [&] {
    const Bytes bytes = (*mapped)->bytes();
    return std::count(bytes.begin(), bytes.end(), std::byte{'w'}) == kSize;
  };
  ASSERT_TRUE(all_there());
  const long before = ResidentKilobytes();
  EXPECT_EQ(ReleaseMappedPages(directory), ByteCount{kSize});
  EXPECT_LE(ResidentKilobytes(), before - kSize / 1024 / 2);
  EXPECT_TRUE(all_there());
}

TEST(MappedPages, OfOtherDirectoriesAreLeftAlone) {
  EXPECT_EQ(ReleaseMappedPages("/nonexistent"), ByteCount{0});
}

}  // namespace
}  // namespace tessera::engine::openvino
