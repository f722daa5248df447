#include "tessera/cli/profile_option.h"

#include <gtest/gtest.h>

namespace tessera::cli {
namespace {

std::string Line(const std::string& text) {
  const auto parsed = ParseProfile(text);
  return parsed ? "" : parsed.error().message;
}

TEST(ParseProfile, TakesThreeSizesOrOne) {
  EXPECT_EQ(*ParseProfile("batch=1:8:64,ids.1=128"),
            (build::SizesByDim{{"batch", {1, 8, 64}}, {"ids.1", {128, 128, 128}}}));
}

TEST(ParseProfile, RefusesWhatIsNoRange) {
  for (const char* part : {"batch", "=1:2:3", "batch=", "batch=1:2", "batch=0:1:2", "batch=3:2:4",
                           "batch=1:2:x", "batch=1:2:3:4"}) {
    EXPECT_EQ(
        Line(part),
        fmt::format("--profile '{}': '{}' is not NAME=MIN:OPT:MAX with 1 <= MIN <= OPT <= MAX", part, part));
  }
}

TEST(ParseProfile, RefusesANameTwiceAndNoneAtAll) {
  EXPECT_EQ(Line("a=1,a=2"), "--profile 'a=1,a=2' has 'a' twice");
  EXPECT_EQ(Line(""), "--profile '' names no dimension");
}

}  // namespace
}  // namespace tessera::cli
