// Embedding tables: weights of at most two dimensions that a Gather looks up in.
#pragma once

#include <cstdint>
#include <limits>

#include "tessera/graph/graph.h"
#include "tessera/shard/rule.h"

namespace tessera::shard {

// What may become of tables. The default: cut where it is free and pays, no reason to cut them by themselves.
struct TablePolicy {
  bool whole = false;  // never cut
  // From so many bytes on a table is a weight like a matrix: what tensor parallelism wants to split.
  int64_t weight_from = std::numeric_limits<int64_t>::max();
};

// A table of more than a tenth of the model's constants counts as a weight.
TablePolicy LargeTablesAreWeights(const graph::Graph& graph);

// The node's rule (of RuleFor) under a policy.
void ApplyTablePolicy(const TablePolicy& policy, const graph::Graph& graph, const graph::Node& node,
                      Rule& rule);

}  // namespace tessera::shard
