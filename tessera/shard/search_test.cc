#include "tessera/shard/search.h"

#include <gtest/gtest.h>

namespace tessera::shard {
namespace {

TEST(Available, AWholeValueGivesEverySlice) {
  const Placement whole{State::Replicated(), std::nullopt};
  EXPECT_TRUE(Available(whole, State::Split(1)));
  EXPECT_FALSE(Available(whole, State::Partial(ReduceOp::kSum)));
}

TEST(Available, ACutValueGivesNoOtherCut) {
  const Placement cut{State::Split(0), std::nullopt};
  EXPECT_TRUE(Available(cut, State::Split(0)));
  EXPECT_FALSE(Available(cut, State::Split(1)));
  EXPECT_FALSE(Available(cut, State::Replicated()));
  EXPECT_TRUE(Available({State::Split(0), State::Replicated()}, State::Split(1))) << "once gathered, it does";
}

}  // namespace
}  // namespace tessera::shard
