// The rewriter: from the search's decisions to the graph that every rank runs.
#pragma once

#include "tessera/base/result.h"
#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/rank_model.h"
#include "tessera/shard/search.h"

namespace tessera::shard {

// Keeps the model's names where a rank holds the whole value, and those of inputs and outputs; other values
// get
// ".split" or ".partial". Nodes that nobody reads are left out. Collectives are named and listed in
// `axis_name`'s group. Errors: kInternal (a decision that cannot be written: a defect).
Result<RankModel> Rewrite(const graph::Graph& graph, const Candidates& candidates,
                          const Assignment& assignment, const CostModel& cost, int parts,
                          const std::string& axis_name);

}  // namespace tessera::shard
