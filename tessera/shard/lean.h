// The search of a strategy that saves memory: as few weights a rank as can be, but not at any price.
#pragma once

#include "tessera/shard/search.h"

namespace tessera::shard {

// The bytes of weights that a rank holds, as `cost` counts them.
double HeldWeights(const graph::Graph& graph, const Candidates& candidates, const Assignment& assignment,
                   const CostModel& cost);

// Searches by `cost`, whose price on weights outweighs everything, and then again at lower and lower prices
// while a rank holds at most (1 + slack) times what it held at first: small weights that would need a
// collective of their own (the router of a mixture of experts) stay whole. Errors: Search's.
Result<Assignment> SearchLean(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost,
                              double slack, size_t most_entries = CostNetwork::kMostEntries);

}  // namespace tessera::shard
