// A cut value, seen as one row of elements: what reshaping leaves as it is.
#pragma once

#include "tessera/graph/graph.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// Whether a value of `a`'s shape in the split state `held` has, read in order, on each rank the same elements
// as a value of `b`'s shape in the split state `wanted`; both have the same elements when whole. False where
// it cannot be told.
bool SameElements(const graph::Value& a, const State& held, const graph::Value& b, const State& wanted,
                  int parts);

}  // namespace tessera::shard
