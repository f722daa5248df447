#include "tessera/shard/known_elements.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::ValueId;
using testing::GraphBuilder;

const Elements& Of(const std::vector<Elements>& known, ValueId id) {
  return known[static_cast<size_t>(id.value())];
}

TEST(KnownElements, ShapeGivesNumbersAndSymbols) {
  GraphBuilder b;
  const ValueId shape = b.Op("Shape", {b.Input("x", {kDynamic, 6}, {0})}, {2});
  EXPECT_EQ(Of(KnownElements(b.graph()), shape), (Elements{{std::nullopt, 0}, {6, -1}}));
}

TEST(KnownElements, ShapeOfSomeDimensionsOnly) {
  GraphBuilder b;
  const ValueId shape =
      b.Op("Shape", {b.Input("x", {2, 6, 4})}, {1}, {{"start", int64_t{-2}}, {"end", int64_t{-1}}});
  EXPECT_EQ(Of(KnownElements(b.graph()), shape), (Elements{{6, -1}}));
}

TEST(KnownElements, ChainOfAReshapeTarget) {
  GraphBuilder b;
  const ValueId shape = b.Op("Shape", {b.Input("x", {kDynamic, 6}, {0})}, {2});
  b.SetType(shape, DType::kInt64);
  const ValueId width = b.Op("Gather", {shape, b.Scalar("one", 1)}, {});
  const ValueId head = b.Op("Div", {width, b.Scalar("heads", 3)}, {});
  const ValueId row = b.Op("Unsqueeze", {head, b.Ints("axes", {0})}, {1});
  const ValueId target = b.Op("Concat", {b.Ints("free", {-1}), row}, {2}, {{"axis", int64_t{0}}});
  EXPECT_EQ(Of(KnownElements(b.graph()), target), (Elements{{-1, -1}, {2, -1}}));
}

TEST(KnownElements, AnUnknownPartKeepsItsPlace) {
  GraphBuilder b;
  const ValueId part = b.Input("n", {1}, {}, DType::kInt64);
  const ValueId target = b.Op("Concat", {part, b.Ints("c", {4})}, {2}, {{"axis", int64_t{0}}});
  EXPECT_EQ(Of(KnownElements(b.graph()), target), (Elements{{std::nullopt, -1}, {4, -1}}));
}

TEST(KnownElements, SliceWithNegativeBounds) {
  GraphBuilder b;
  const ValueId cut = b.Op("Slice", {b.Ints("v", {5, 6, 7}), b.Ints("s", {-2}), b.Ints("e", {9})}, {2});
  EXPECT_EQ(Of(KnownElements(b.graph()), cut), (Elements{{6, -1}, {7, -1}}));
}

TEST(KnownElements, DivisionRoundsToZeroAndNeverByZero) {
  GraphBuilder b;
  const ValueId by_zero = b.Op("Div", {b.Ints("a", {7}), b.Ints("z", {0})}, {1});
  const ValueId half = b.Op("Div", {b.Ints("n", {-7}), b.Ints("two", {2})}, {1});
  const auto known = KnownElements(b.graph());
  EXPECT_EQ(Of(known, half), (Elements{{-3, -1}}));
  EXPECT_FALSE(!Of(known, by_zero).empty() && Of(known, by_zero)[0].number == 7);
}

TEST(RefineShapes, TargetOfAReshapeFillsOpenSizes) {
  GraphBuilder b;
  const ValueId y = b.Op("Reshape", {b.Input("x", {kDynamic, 12}, {0}), b.Ints("t", {-1, 3, 4})},
                         {kDynamic, kDynamic, kDynamic});
  RefineShapes(b.graph());
  EXPECT_EQ(b.graph().value(y).shape, (Shape{kDynamic, 3, 4}));
}

}  // namespace
}  // namespace tessera::shard
