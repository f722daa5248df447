// What is known of small integer values before anything runs: the literals in shape chains.
#pragma once

#include <optional>
#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::shard {

struct Element {
  std::optional<int64_t> number;  // nullopt: depends on the run
  int32_t symbol = -1;            // it is the size that has this symbol (graph::Value::symbols); -1 = none
  bool operator==(const Element&) const = default;
};

// One for each element of a value. Empty = nothing known of the value.
using Elements = std::vector<Element>;

// By value: the elements of integer constants and of what Shape, Gather, Concat, Slice, arithmetic and their
// like make of them. Sizes are the unsharded model's.
std::vector<Elements> KnownElements(const graph::Graph& graph);

// Fills in sizes and symbols that shape inference left open: what Reshape and Expand targets say, and what
// hangs together by the rules of the ops. Known sizes are never changed.
void RefineShapes(graph::Graph& graph);

}  // namespace tessera::shard
