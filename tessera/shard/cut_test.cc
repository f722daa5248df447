#include "tessera/shard/cut.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <numeric>

namespace tessera::shard {
namespace {

using Indices = std::vector<int64_t>;

// A cut whose segments divide over `parts`, and the size of its dimension.
struct Sample {
  Cut cut;
  int64_t size;
};

Sample AnyCut(int parts) {
  const auto runs = *rc::gen::container<std::vector<std::pair<int, int>>>(
      *rc::gen::inRange<size_t>(1, 4), rc::gen::pair(rc::gen::inRange(1, 4), rc::gen::inRange(1, 4)));
  std::vector<Run> segments;
  int64_t size = 0;
  for (const auto& [pieces, count] : runs) {
    segments.push_back({int64_t{pieces} * parts, count});
    size += int64_t{pieces} * parts * count;
  }
  return {Cut::Of(segments, size), size};
}

TEST(Cut, OfOneWholeSegmentIsPlain) {
  EXPECT_TRUE(Cut::Of({{12, 1}}, 12).plain());
  EXPECT_TRUE(Cut::Of({{12, 1}}, kDynamic).plain());
  EXPECT_FALSE(Cut::Of({{4, 3}}, 12).plain());
}

TEST(Cut, NeighboursOfOneSizeAreOneRun) {
  EXPECT_EQ(Cut::Of({{4, 1}, {4, 2}, {2, 2}}, 16), Cut::Of({{4, 3}, {2, 2}}, 16));
}

TEST(Cut, RankHoldsItsPieceOfEverySegment) {
  EXPECT_EQ(Cut().Indices(6, 3, 1), (Indices{2, 3}));
  EXPECT_EQ(Cut::Of({{4, 2}}, 8).Indices(8, 2, 1), (Indices{2, 3, 6, 7}));
  EXPECT_EQ(Cut::Of({{4, 1}, {2, 2}}, 8).Indices(8, 2, 0), (Indices{0, 1, 4, 6}));
}

TEST(Cut, DividesOnlyWhereEverySegmentDoes) {
  EXPECT_TRUE(Cut().Divides(6, 3));
  EXPECT_FALSE(Cut().Divides(6, 4));
  EXPECT_FALSE(Cut().Divides(kDynamic, 2));
  EXPECT_FALSE(Cut::Of({{3, 2}}, 6).Divides(6, 2)) << "6 divides by 2, its segments do not";
}

TEST(Cut, NothingIsNotDivided) {
  EXPECT_FALSE(Cut().Divides(0, 2));
  EXPECT_FALSE(Cut::Of({{0, 3}}, 0).Divides(0, 2));
}

TEST(Cut, IsWrittenWithCountsAndSizes) {
  EXPECT_EQ(Cut().ToString(), "plain");
  EXPECT_EQ(Cut::Of({{64, 3}}, 192).ToString(), "3x64");
  EXPECT_EQ(Cut::Of({{128, 1}, {32, 2}}, 192).ToString(), "1x128+2x32");
  EXPECT_EQ(Cut().Lift(64, kDynamic, 1)->ToString(), "*x64");
}

TEST(Cut, OfADynamicOuterDimensionRepeatsForEver) {
  const auto lifted = Cut().Lift(4, kDynamic, 3);
  ASSERT_TRUE(lifted);
  EXPECT_EQ(lifted->Indices(24, 2, 0), (Indices{0, 1, 2, 3, 4, 5, 12, 13, 14, 15, 16, 17}));
}

TEST(Cut, OfUnequalSegmentsUnderADynamicOuterDimensionCannotBeTold) {
  EXPECT_FALSE(Cut::Of({{4, 1}, {2, 2}}, 8).Lift(8, kDynamic, 1));
}

TEST(CutOfFactor, FindsTheFactorThatIsCut) {
  const auto found = CutOfFactor(Cut::Of({{8, 3}}, 24), {3, 4, 2}, 2);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->factor, 1);
  EXPECT_TRUE(found->cut.plain());
}

TEST(CutOfFactor, RefusesWhatDoesNotDivide) {
  EXPECT_FALSE(CutOfFactor(Cut(), {3, 4}, 2)) << "12 divides by 2, but the major factor is 3";
}

TEST(CutOfFactor, RefusesACutAcrossFactors) {
  EXPECT_FALSE(CutOfFactor(Cut::Of({{12, 2}}, 24), {4, 6}, 3)) << "a piece of 4 is no whole number of rows";
}

RC_GTEST_PROP(CutProperty, RanksHoldEveryElementOnce, ()) {
  const int parts = *rc::gen::inRange(1, 6);
  const Sample sample = AnyCut(parts);
  Indices all;
  for (int rank = 0; rank < parts; ++rank) {
    const Indices held = sample.cut.Indices(sample.size, parts, rank);
    RC_ASSERT(held.size() == static_cast<size_t>(sample.size / parts));
    RC_ASSERT(std::is_sorted(held.begin(), held.end()));
    all.insert(all.end(), held.begin(), held.end());
  }
  std::sort(all.begin(), all.end());
  Indices wanted(static_cast<size_t>(sample.size));
  std::iota(wanted.begin(), wanted.end(), 0);
  RC_ASSERT(all == wanted);
}

RC_GTEST_PROP(CutProperty, LiftedCutHoldsTheElementsOfTheFactorsRows, ()) {
  const int parts = *rc::gen::inRange(1, 5);
  const Sample sample = AnyCut(parts);
  const int64_t outer = *rc::gen::inRange(1, 4);
  const int64_t inner = *rc::gen::inRange(1, 4);
  const auto lifted = sample.cut.Lift(sample.size, outer, inner);
  RC_ASSERT(lifted.has_value());
  for (int rank = 0; rank < parts; ++rank) {
    Indices wanted;
    for (int64_t o = 0; o < outer; ++o) {
      for (const int64_t f : sample.cut.Indices(sample.size, parts, rank)) {
        for (int64_t i = 0; i < inner; ++i) wanted.push_back((o * sample.size + f) * inner + i);
      }
    }
    RC_ASSERT(lifted->Indices(outer * sample.size * inner, parts, rank) == wanted);
  }
}

RC_GTEST_PROP(CutProperty, CutOfFactorTurnsLiftAround, ()) {
  const int parts = *rc::gen::inRange(2, 5);
  const Sample sample = AnyCut(parts);
  const std::vector<int64_t> sizes{*rc::gen::inRange<int64_t>(1, 4), sample.size,
                                   *rc::gen::inRange<int64_t>(1, 4)};
  const auto lifted = sample.cut.Lift(sizes[1], sizes[0], sizes[2]);
  RC_ASSERT(lifted.has_value());
  const auto found = CutOfFactor(*lifted, sizes, parts);
  RC_ASSERT(found.has_value());
  RC_ASSERT(found->factor == 1);
  RC_ASSERT(found->cut == sample.cut);
}

TEST(Cut, CopiesAreHeldByNeighbours) {
  const Cut cut = Cut::Of({{4, 2}}, 8).WithCopies(2);
  EXPECT_TRUE(cut.Divides(8, 4));
  EXPECT_FALSE(cut.Divides(8, 3)) << "three ranks are no pairs";
  EXPECT_EQ(cut.Indices(8, 4, 0), (Indices{0, 1, 4, 5}));
  EXPECT_EQ(cut.Indices(8, 4, 1), (Indices{0, 1, 4, 5}));
  EXPECT_EQ(cut.Indices(8, 4, 2), (Indices{2, 3, 6, 7}));
  EXPECT_EQ(cut.ToString(), "2x4*2");
}

RC_GTEST_PROP(CutProperty, EqualExactlyWhenEveryRankHoldsTheSame, ()) {
  const int parts = *rc::gen::inRange(2, 4);
  const Sample a = AnyCut(parts);
  const Sample b = AnyCut(parts);
  RC_PRE(a.size == b.size);
  bool same = true;
  for (int rank = 0; rank < parts; ++rank)
    same = same && a.cut.Indices(a.size, parts, rank) == b.cut.Indices(b.size, parts, rank);
  RC_ASSERT((a.cut == b.cut) == same);
}

}  // namespace
}  // namespace tessera::shard
