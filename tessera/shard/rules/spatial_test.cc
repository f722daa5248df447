// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(SpatialRule, DepthIsCutAsItsModeOrdersIt) {
  GraphBuilder block_first;
  block_first.Op("SpaceToDepth", {block_first.Input("x", {1, 2, 4, 4})}, {1, 8, 2, 2},
                 {{"blocksize", int64_t{2}}});
  EXPECT_THAT(DescribeLast(block_first.graph(), 2), ::testing::EndsWith("S(1) -> S(1,4x2)"));
  GraphBuilder channel_first;
  channel_first.Op("SpaceToDepth", {channel_first.Input("x", {1, 2, 4, 4})}, {1, 8, 2, 2},
                   {{"blocksize", int64_t{2}}, {"mode", std::string("CRD")}});
  EXPECT_THAT(DescribeLast(channel_first.graph(), 2), ::testing::EndsWith("S(1) -> S(1)"));
}

}  // namespace
}  // namespace tessera::shard
