#include "tessera/build/profiles.h"

#include <gtest/gtest.h>

namespace tessera::build {
namespace {

using plan::Layout;

// ids [batch, sequence], image [?, 3] cut in two along axis 0, table [4].
plan::Plan TwoRanks() {
  plan::Plan plan;
  plan.mesh = {{"tp", 2}};
  plan.ranks.resize(2);
  plan.inputs = {{{"ids", DType::kInt64, {kDynamic, kDynamic}}, {"batch", "sequence"}, {}, {1, 3}},
                 {{"image", DType::kFloat32, {kDynamic, 3}}, {"", ""}, {Layout::Kind::kSplit, 0, Rank{0}}},
                 {{"table", DType::kFloat32, {4}}, {""}, {}}};
  return plan;
}

std::string Line(const SizesByDim& sizes) {
  const auto profile = MakeProfile(TwoRanks(), sizes);
  return profile ? "" : profile.error().message;
}

TEST(MakeProfile, UsualSizesAreRoundedUpToTheMultiples) {
  const plan::Profile profile = *MakeProfile(TwoRanks(), {});
  ASSERT_EQ(profile.size(), 2u) << "an input without free dimensions needs no range";
  EXPECT_EQ(profile[0], (plan::InputRange{"ids", {1, 3}, {8, 129}, {64, 513}}));
  EXPECT_EQ(profile[1], (plan::InputRange{"image", {2, 3}, {8, 3}, {64, 3}}));
}

TEST(MakeProfile, SizesAreTakenByTheDimensionsName) {
  const plan::Profile profile = *MakeProfile(TwoRanks(), {{"sequence", {3, 6, 9}}, {"image.0", {4, 4, 4}}});
  EXPECT_EQ(profile[0], (plan::InputRange{"ids", {1, 3}, {8, 6}, {64, 9}}));
  EXPECT_EQ(profile[1], (plan::InputRange{"image", {4, 3}, {4, 3}, {4, 3}}));
}

TEST(MakeProfile, AnUnknownDimensionIsRefusedWithThoseThatAre) {
  EXPECT_EQ(Line({{"seq", {1, 1, 1}}}),
            "no input has a free dimension 'seq', there are: batch, image.0, sequence");
}

TEST(MakeProfile, ASizeThatCannotBeCutIsRefused) {
  EXPECT_EQ(Line({{"image.0", {2, 3, 4}}}), "dimension 'image.0' of size 3: wanted a multiple of 2");
}

TEST(OfOneRank, ACutInputIsThePart) {
  const plan::Plan plan = TwoRanks();
  const plan::Profile local = OfOneRank(*MakeProfile(plan, {}), plan);
  EXPECT_EQ(local[0].most, (Shape{64, 513}));
  EXPECT_EQ(local[1], (plan::InputRange{"image", {1, 3}, {4, 3}, {32, 3}}));
}

}  // namespace
}  // namespace tessera::build
