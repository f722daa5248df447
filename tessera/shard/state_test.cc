#include "tessera/shard/state.h"

#include <gtest/gtest.h>

namespace tessera::shard {
namespace {

TEST(State, IsWrittenAsInTheLiterature) {
  EXPECT_EQ(State::Replicated().ToString(), "R");
  EXPECT_EQ(State::Split(1).ToString(), "S(1)");
  EXPECT_EQ(State::Split(2, Cut::Of({{64, 3}}, 192)).ToString(), "S(2,3x64)");
  EXPECT_EQ(State::Partial(ReduceOp::kSum).ToString(), "P(sum)");
}

TEST(State, OnesOwnPartIsTakenFromCopies) {
  const State copies = State::Split(1, Cut().WithCopies(2));
  EXPECT_TRUE(Refines(copies, State::Split(1)));
  EXPECT_FALSE(Refines(copies, State::Split(0)));
  EXPECT_FALSE(Refines(State::Split(1), copies));
  EXPECT_EQ(LocalShape({4, 6}, copies, 4), (Shape{4, 3}));
}

TEST(State, LocalShapeDividesTheCutDimensionOnly) {
  EXPECT_EQ(LocalShape({4, 6}, State::Split(1), 3), (Shape{4, 2}));
  EXPECT_EQ(LocalShape({kDynamic, 6}, State::Split(0), 3), (Shape{kDynamic, 6})) << "not known stays so";
  EXPECT_EQ(LocalShape({4, 6}, State::Partial(ReduceOp::kSum), 2), (Shape{4, 6}));
  EXPECT_EQ(LocalShape({4, 6}, State::Replicated(), 2), (Shape{4, 6}));
}

}  // namespace
}  // namespace tessera::shard
