#include "tessera/shard/rank_model.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::Constant;

Constant Counting(const Shape& shape) {
  std::vector<int64_t> values(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i);
  return Constant::OfInt64(values, shape);
}

RankConstant Held(const Constant& whole, const State& state) {
  return {std::make_shared<const Constant>(whole), state, {}};
}

TEST(OnRank, PieceOfTheFirstDimensionIsAViewOfTheWhole) {
  const RankConstant constant = Held(Counting({4, 3}), State::Split(0));
  const Constant piece = OnRank(constant, 1, 2);
  EXPECT_EQ(piece.bytes.data(), constant.whole->bytes.data() + 6 * sizeof(int64_t)) << "nothing was copied";
  EXPECT_EQ(*AsInt64(piece), (std::vector<int64_t>{6, 7, 8, 9, 10, 11}));
}

TEST(OnRank, PieceOfTheLastDimensionIsACopyOfItsRows) {
  EXPECT_EQ(*AsInt64(OnRank(Held(Counting({2, 4}), State::Split(1)), 1, 2)),
            (std::vector<int64_t>{2, 3, 6, 7}));
}

TEST(OnRank, FusedQkvKeepsAPartOfEach) {
  const State fused = State::Split(0, Cut::Of({{4, 1}, {2, 2}}, 8));
  EXPECT_EQ(*AsInt64(OnRank(Held(Counting({8}), fused), 1, 2)), (std::vector<int64_t>{2, 3, 5, 7}));
}

TEST(OnRank, PartialSumIsZeroOnAllRanksButTheFirst) {
  const RankConstant bias = Held(Counting({3}), State::Partial(ReduceOp::kSum));
  EXPECT_EQ(*AsInt64(OnRank(bias, 0, 2)), (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(*AsInt64(OnRank(bias, 1, 2)), (std::vector<int64_t>{0, 0, 0}));
}

TEST(OnRank, PartialAverageIsTheWholeOnEveryRank) {
  const RankConstant bias = Held(Counting({3}), State::Partial(ReduceOp::kAvg));
  EXPECT_EQ(*AsInt64(OnRank(bias, 1, 2)), (std::vector<int64_t>{0, 1, 2}));
}

TEST(OnRank, OwnConstantsAreTakenAsTheyAre) {
  RankConstant own;
  own.by_rank = {Constant::OfInt64({5}, {1}), Constant::OfInt64({6}, {1})};
  EXPECT_EQ(*AsInt64(OnRank(own, 1, 2)), (std::vector<int64_t>{6}));
  EXPECT_FALSE(own.shared());
}

RC_GTEST_PROP(OnRankProperty, PiecesPutTogetherAreTheWhole, ()) {
  const int parts = *rc::gen::inRange(1, 5);
  const int64_t outer = *rc::gen::inRange(1, 4);
  const int64_t inner = *rc::gen::inRange(1, 4);
  const int64_t a = *rc::gen::inRange(1, 4) * parts;
  const int64_t b = *rc::gen::inRange(1, 4) * parts;
  const Shape shape{outer, a + b, inner};
  const bool plain = *rc::gen::arbitrary<bool>();
  const State state = State::Split(1, plain ? Cut() : Cut::Of({{a, 1}, {b, 1}}, a + b));
  const Constant whole = Counting(shape);
  std::vector<int64_t> together(static_cast<size_t>(ElementCount(shape)), -1);
  for (int rank = 0; rank < parts; ++rank) {
    const Constant piece = OnRank(Held(whole, state), rank, parts);
    RC_ASSERT(piece.shape == LocalShape(shape, state, parts));
    const auto values = *AsInt64(piece);
    const auto held = state.cut.Indices(a + b, parts, rank);
    size_t at = 0;
    for (int64_t o = 0; o < outer; ++o) {
      for (const int64_t h : held) {
        for (int64_t i = 0; i < inner; ++i)
          together[static_cast<size_t>((o * (a + b) + h) * inner + i)] = values[at++];
      }
    }
  }
  RC_ASSERT(together == *AsInt64(whole));
}

}  // namespace
}  // namespace tessera::shard
