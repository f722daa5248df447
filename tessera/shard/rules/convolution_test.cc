// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(ConvolutionRule, ChannelsPassAndAreSummedOver) {
  GraphBuilder b;
  b.Op("Conv", {b.Input("x", {1, 4, 5, 5}), b.Weight("w", {6, 4, 3, 3}), b.Weight("b", {6})}, {1, 6, 3, 3});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=1 b=4+ c=5! d=5! e=6 f=3! g=3! h=3! i=3! | a b c d, e b f g, e -> a e h i linear(0) linear(1) "
            "addends(2) weights(1)\n"
            "P(avg) R P(avg) -> P(avg)\n"
            "P(sum) R P(sum) -> P(sum)\n"
            "R P(avg) P(avg) -> P(avg)\n"
            "R P(sum) P(sum) -> P(sum)\n"
            "R S(0) S(0) -> S(1)\n"
            "S(1) S(1) P(sum) -> P(sum)");
}
TEST(ConvolutionRule, GroupsAreACompound) {
  GraphBuilder b;
  b.Op("Conv", {b.Input("x", {1, 4, 5}), b.Weight("w", {8, 1, 3}), b.Weight("b", {8})}, {1, 8, 3},
       {{"group", int64_t{4}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=1 b=4 c=1! d=5! e=2! f=3! g=3! | a (b c) d, (b e) c f, (b e) -> a (b e) g weights(1)\n"
            "S(1) S(0) S(0) -> S(1)");
}

}  // namespace
}  // namespace tessera::shard
