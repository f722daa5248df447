// A second opinion on a sharded model, which knows nothing of rules, rows and the search: it walks the rank
// graph, finds anew what every value must hold, and compares that with what the rewriter says.
#pragma once

#include "tessera/base/result.h"
#include "tessera/graph/graph.h"
#include "tessera/graph/shape_oracle.h"
#include "tessera/shard/rank_model.h"

namespace tessera::shard {

// `ranks` is a sharding of `model` (shapes inferred). Each node must be a copy of one of the model's that is
// known to be right on the states of its inputs, or part of a conversion from one state to another; a node of
// an unknown op takes and gives whole values only. So a partial value never meets an op that is not linear,
// and no output is left partial or cut where the plan does not say so. Collectives have all their attributes
// and stand in the plan in their order; local shapes are those of the states. Takes about 2 us a node.
// Errors: kInternal, naming the node or value.
Result<void> CheckRankModel(const graph::Graph& model, const RankModel& ranks);

// The shapes that `oracle` infers for the rank graph from its inputs and weights are those that the graph
// declares. Not for graphs whose shapes are computed from what a collective gave: the oracle does not know
// its values. Errors: kInternal (they contradict), the oracle's.
Result<void> CheckLocalShapes(const RankModel& ranks, graph::ShapeOracle& oracle);

}  // namespace tessera::shard
