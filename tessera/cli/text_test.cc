#include "tessera/cli/text.h"

#include <gtest/gtest.h>

#include "tessera/cli/progress.h"

namespace tessera::cli {
namespace {

TEST(Wrap, BreaksAtBlanksBeforeTheWidth) {
  EXPECT_EQ(Wrap("one two three", 20), "one two three");
  EXPECT_EQ(Wrap("one two three", 8), "one two\nthree");
  EXPECT_EQ(Wrap("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(Wrap("incomprehensible x", 5), "incomprehensible\nx");
}

TEST(Wrap, KeepsTheLinesOfTheText) {
  EXPECT_EQ(Wrap("a b\n  c d", 80), "a b\n  c d");
}

TEST(Table, AlignsTheFirstColumnLeftAndOthersRight) {
  Table table({"rank", "weights"});
  table.Add({"0", "16.6 MiB"});
  table.Add({"10", "1 B"});
  EXPECT_EQ(table.ToString(2),
            "  rank   weights\n"
            "  0     16.6 MiB\n"
            "  10         1 B\n");
}

TEST(ProgressLine, FillsTheBarByTheFraction) {
  EXPECT_NE(ProgressLine("searching", 0.5).find("[###############---------------]  50 %"), std::string::npos);
  EXPECT_NE(ProgressLine("x", 7).find("[##############################] 100 %"), std::string::npos);
  EXPECT_NE(ProgressLine("x", -1).find("[------------------------------]   0 %"), std::string::npos);
}

}  // namespace
}  // namespace tessera::cli
