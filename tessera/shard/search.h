// The search: which row every node runs by, so that the whole costs least.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "tessera/shard/candidates.h"
#include "tessera/shard/cost.h"

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
};

// The exact minimum over all rows, with each value's collective counted once however many consumers share it.
// Errors: kUnsupported when the graph is too entangled for an exact search.
Result<Assignment> Search(const graph::Graph& graph, const Candidates& candidates, const CostModel& cost);

// States that can be had from `placement` without another collective.
bool Available(const Placement& placement, const State& wanted);

}  // namespace tessera::shard
