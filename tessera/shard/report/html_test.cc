#include "tessera/shard/report/html.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tessera::shard::report {
namespace {

TEST(Escape, LeavesNothingThatCouldBeMarkup) {
  EXPECT_EQ(Escape("<img src=x onerror=\"alert('1')\">&"),
            "&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt;&amp;");
}

TEST(Escape, KeepsOtherLanguages) {
  EXPECT_EQ(Escape("größe/層"), "größe/層");
}

TEST(Escape, ReplacesWhatIsNoText) {
  EXPECT_EQ(Escape(std::string_view("a\0b\n", 4)),
            "a\xEF\xBF\xBD"
            "b\xEF\xBF\xBD");
  EXPECT_EQ(Escape("\xFF\xC0\xAFx"), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDx") << "an overlong slash is none";
}

RC_GTEST_PROP(Escape, OfAnyBytesHasNoQuoteNoBracketAndNoControlCharacter, (const std::string& bytes)) {
  for (const char c : Escape(bytes)) {
    RC_ASSERT(c != '<' && c != '>' && c != '"' && c != '\'' && static_cast<unsigned char>(c) >= 0x20);
  }
}

TEST(Shortened, LeavesOutTheMiddleOfALongName) {
  EXPECT_EQ(Shortened("short", 10), "short");
  EXPECT_EQ(Shortened("/encoder/layer.0/attention/output", 16), "/enco…ion/output");
  EXPECT_EQ(Shortened("<<<<<<<<<<<<<<<<<<<<", 4), "&lt;…&lt;&lt;");
}

TEST(FillIn, PutsPartsInAndNeverLooksAtThemAgain) {
  EXPECT_EQ(FillIn("a{{x}}b{{y}}c", {{"x", "{{y}}"}, {"y", "1"}}), "a{{y}}b1c");
  EXPECT_EQ(FillIn("a{{missing}}b", {}), "ab");
  EXPECT_EQ(FillIn("a{{open", {}), "a{{open");
}

TEST(Thousands, GroupsDigits) {
  EXPECT_EQ(Thousands(0), "0");
  EXPECT_EQ(Thousands(999), "999");
  EXPECT_EQ(Thousands(50025), "50,025");
  EXPECT_EQ(Thousands(1234567), "1,234,567");
}

}  // namespace
}  // namespace tessera::shard::report
