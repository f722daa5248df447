#include "tessera/shard/report/folding.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tessera::shard::report {
namespace {

std::vector<Segment> FoldText(const std::string& text) {
  return Fold({text.begin(), text.end()}, std::vector<uint32_t>(text.size() + 1));
}

TEST(Fold, OfNothingIsNothing) {
  EXPECT_TRUE(FoldText("").empty());
}

TEST(Fold, LeavesWhatNothingRepeats) {
  EXPECT_EQ(FoldText("abcdefgh"), (std::vector<Segment>{{0, 8, 1}}));
}

TEST(Fold, FindsTheLayersBetweenHeadAndTail) {
  EXPECT_EQ(FoldText("xyabcdeabcdeabcdez"), (std::vector<Segment>{{0, 2, 1}, {2, 5, 3}, {17, 1, 1}}));
}

TEST(Fold, FindsTwoStacksOneAfterTheOther) {
  EXPECT_EQ(FoldText("abcdeabcdefghijklfghijkl"), (std::vector<Segment>{{0, 5, 2}, {10, 7, 2}}));
}

TEST(Fold, StartsABlockWhereLeastCrosses) {
  const std::string text = "deabcdeabcdeabc";
  std::vector<uint32_t> crossing(text.size() + 1, 3);
  for (const size_t place : {2, 7, 12}) crossing[place] = 1;
  EXPECT_EQ(Fold({text.begin(), text.end()}, crossing), (std::vector<Segment>{{0, 5, 3}}))
      << "no slack: at 0";
  const std::string longer = text + "de";
  crossing.assign(longer.size() + 1, 3);
  for (const size_t place : {2, 7, 12}) crossing[place] = 1;
  EXPECT_EQ(Fold({longer.begin(), longer.end()}, crossing), (std::vector<Segment>{{0, 2, 1}, {2, 5, 3}}));
}

RC_GTEST_PROP(Fold, CoversTheSequenceWithBlocksThatAreAlike, ()) {
  std::vector<uint64_t> kinds;
  for (const int pieces = *rc::gen::inRange(0, 4); static_cast<int>(kinds.size()) < 40 * pieces;) {
    const auto block = *rc::gen::container<std::vector<uint64_t>>(rc::gen::inRange<uint64_t>(0, 4));
    const int times = *rc::gen::inRange(1, 5);
    for (int i = 0; i < times; ++i) kinds.insert(kinds.end(), block.begin(), block.end());
    kinds.push_back(7);
  }
  size_t at = 0;
  for (const Segment& s : Fold(kinds, std::vector<uint32_t>(kinds.size() + 1))) {
    RC_ASSERT(s.first == at && s.period > 0 && s.count > 0);
    at = s.end();
    for (size_t i = s.first + s.period; i < s.end(); ++i) RC_ASSERT(kinds[i] == kinds[i - s.period]);
  }
  RC_ASSERT(at == kinds.size());
}

}  // namespace
}  // namespace tessera::shard::report
