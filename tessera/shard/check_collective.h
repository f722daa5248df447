// A collective of the rank graph, beside the plan's.
#pragma once

#include "tessera/base/result.h"
#include "tessera/shard/rank_model.h"

namespace tessera::shard::check {

// `node` of the rank graph is the one that is planned, of all ranks, and has all its attributes.
// Errors: kInternal, saying what is wrong with it.
Result<void> CheckCollective(const graph::Graph& graph, const graph::Node& node,
                             const plan::CollectivePlan& planned, int parts);

}  // namespace tessera::shard::check
