// For tests: plans made by chance in place of the search, and single nodes run by each of their rows.
#pragma once

#include <map>
#include <random>

#include "tessera/base/result.h"
#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/rank_model.h"
#include "tessera/shard/search.h"

namespace tessera::shard::testing {

// Every row of every node (see AllRows), whatever weights the graph has.
Candidates AllCandidates(const graph::Graph& graph, int parts);

// Leaves the rows only in which constants are held in the states that are asked for.
// Errors: kUnsupported, naming a node that has no such row.
Result<void> Pin(const graph::Graph& graph, const std::map<graph::ValueId, State>& held,
                 Candidates& candidates);

// A plan that takes a random row at every node, among those whose partial inputs are produced so.
Assignment RandomAssignment(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost,
                            std::mt19937& random);

// Node `n` alone, run by `row`: its inputs are the rank graph's inputs, in the row's states (constants stay
// constants, any state = whole), its outputs the rank graph's outputs.
Result<RankModel> NodeByRow(const graph::Graph& graph, size_t n, const Rows& rows, const Row& row, int parts);

}  // namespace tessera::shard::testing
