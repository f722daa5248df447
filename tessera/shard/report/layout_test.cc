#include "tessera/shard/report/layout.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tessera::shard::report {
namespace {

TEST(LayOut, PutsAChainIntoOneColumn) {
  const auto places = LayOut(3, {{0, 1}, {1, 2}});
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(places[static_cast<size_t>(n)].row, n);
    EXPECT_EQ(places[static_cast<size_t>(n)].column, places[0].column);
  }
}

TEST(LayOut, PutsAForkSideBySideAboutTheMiddle) {
  const auto places = LayOut(4, {{0, 1}, {0, 2}, {1, 3}, {2, 3}});
  EXPECT_EQ(places[1].row, places[2].row);
  EXPECT_DOUBLE_EQ(std::abs(places[1].column - places[2].column), 1);
  EXPECT_DOUBLE_EQ(places[3].column, (places[1].column + places[2].column) / 2);
}

TEST(LayOut, PutsALoneSourceRightAboveItsReader) {
  const auto places = LayOut(5, {{0, 1}, {1, 2}, {2, 4}, {3, 4}});
  EXPECT_EQ(places[3].row, places[4].row - 1);
}

RC_GTEST_PROP(LayOut, StandsBelowAllThatLeadsThereAndOverlapsNothing, ()) {
  const int nodes = *rc::gen::inRange(1, 30);
  std::vector<std::pair<int, int>> edges;
  for (int to = 1; to < nodes; ++to) {
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) edges.emplace_back(*rc::gen::inRange(0, to), to);
  }
  const auto places = LayOut(nodes, edges);
  for (const auto& [from, to] : edges)
    RC_ASSERT(places[static_cast<size_t>(from)].row < places[static_cast<size_t>(to)].row);
  for (size_t a = 0; a < places.size(); ++a) {
    for (size_t b = 0; b < a; ++b)
      RC_ASSERT(places[a].row != places[b].row || std::abs(places[a].column - places[b].column) > 0.999);
  }
}

}  // namespace
}  // namespace tessera::shard::report
