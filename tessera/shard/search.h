// The search: which row every node runs by, so that the whole costs least.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/cost_network.h"

namespace tessera::shard {

// What was decided for one value.
struct Placement {
  State produced;             // as its producer, or the executor, leaves it
  std::optional<State> made;  // what a collective turns it into, once, for whoever asks
};

struct Assignment {
  std::vector<int> row;              // by node: index into Candidates::rows
  std::vector<Placement> placement;  // by value
  std::vector<State> output;         // by model output: as the executor gets it, replicated or split plainly
  double cost = 0;                   // what the search minimised
  double lower_bound = 0;            // no assignment costs less
  bool exact = true;                 // this one is the least: the bound is its cost
};

// The minimum over all rows, with each value's collective counted once however many consumers share it. Where
// an exact search would need a table of more than `most_entries`, the best found, never worse than everything
// replicated, and how far at most it is from the least.
Result<Assignment> Search(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost,
                          size_t most_entries = CostNetwork::kMostEntries);

// States that can be had from `placement` without another collective.
bool Available(const Placement& placement, const State& wanted);

}  // namespace tessera::shard
