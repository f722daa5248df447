// Golden text of these rules and of the rows that they give, by op: read as documentation.
#include <gtest/gtest.h>

#include "tessera/shard/testing/describe.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::DescribeLast;
using testing::GraphBuilder;

TEST(QuantizedRule, TermsOfAnInt32SumAreScaledAlike) {
  GraphBuilder b;
  b.Op("DequantizeLinear", {b.Input("x", {4}, {}, DType::kInt32), b.Weight("s", {4})}, {4},
       {{"axis", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a -> a linear(0)\n"
            "P(avg) R -> P(avg)\n"
            "P(sum) R -> P(sum)\n"
            "S(0) S(0) -> S(0)");
}
TEST(QuantizedRule, AZeroPointThatIsSubtractedOnceKeepsTermsWhole) {
  GraphBuilder b;
  b.Op("DequantizeLinear",
       {b.Input("x", {4}, {}, DType::kInt32), b.Weight("s", {4}), b.Input("z", {4}, {}, DType::kInt32)}, {4},
       {{"axis", int64_t{0}}});
  EXPECT_EQ(DescribeLast(b.graph(), 2),
            "a=4 | a, a, a -> a\n"
            "S(0) S(0) S(0) -> S(0)");
}

}  // namespace
}  // namespace tessera::shard
