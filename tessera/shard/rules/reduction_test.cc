// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(ReductionRule, ReduceSumOfACutAxisIsPartial) {
  GraphBuilder b;
  b.Op("ReduceSum", {b.Input("x", {2, 4}), b.Ints("a", {1})}, {2, 1});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4+ | a b, . -> a . linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) R -> S(0)\n"
            "S(1) R -> P(sum)");
}
TEST(ReductionRule, ReduceMeanAverages) {
  GraphBuilder b;
  b.Op("ReduceMean", {b.Input("x", {2, 4})}, {2},
       {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4~ | a b -> a linear(0)\n"
            "P(avg) -> P(avg)\n"
            "P(sum) -> P(sum)\n"
            "S(0) -> S(0)\n"
            "S(1) -> P(avg)");
}
TEST(ReductionRule, MeanOfIntegersRounds) {
  GraphBuilder b;
  b.Op("ReduceMean", {b.Input("x", {2, 4}, {}, DType::kInt32)}, {2},
       {{"axes", std::vector<int64_t>{1}}, {"keepdims", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4! | a b -> a\n"
            "S(0) -> S(0)");
}
TEST(ReductionRule, ReduceMaxIsPartialMax) {
  GraphBuilder b;
  b.Op("ReduceMax", {b.Input("x", {2, 4}), b.Ints("a", {0, 1})}, {1, 1});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2> b=4> | a b, . -> . .\n"
            "S(0) R -> P(max)\n"
            "S(1) R -> P(max)");
}
TEST(ReductionRule, TopKLooksAcrossRanksThatHaveEnoughEach) {
  GraphBuilder b;
  const auto x = b.Input("x", {3, 8});
  b.Ops("TopK", {x, b.Ints("k", {4})}, {{3, 4}, {3, 4}});
  EXPECT_EQ(DescribeLast(b.graph(), 2), "a=3 b=8 | a b, . -> a ., a . across(b)\nS(1) R -> R R");
  GraphBuilder many;
  const auto y = many.Input("x", {3, 8});
  many.Ops("TopK", {y, many.Ints("k", {5})}, {{3, 5}, {3, 5}});
  EXPECT_EQ(DescribeLast(many.graph(), 2), "a=3 b=8 | a b, . -> a ., a . across(b)");
}
TEST(ReductionRule, ArgMaxMayLookAcrossRanks) {
  GraphBuilder b;
  b.Op("ArgMax", {b.Input("x", {2, 4})}, {2, 1}, {{"axis", int64_t{1}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=2 b=4 | a b -> a . across(b)\n"
            "S(0) -> S(0)\n"
            "S(1) -> R");
}

}  // namespace
}  // namespace tessera::shard
