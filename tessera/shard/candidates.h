// The propagator: from the cuts worth trying to every row that could matter, over the whole graph.
#pragma once

#include <set>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

struct Candidates {
  std::vector<Rows> makers;             // by node
  std::vector<std::vector<Row>> rows;   // by node; the first is the replicated one
  std::vector<std::set<State>> states;  // by value: states that a row produces or asks for, R not listed
};

// Starts from the plain cuts of every weight's dimensions and follows them through producers and consumers,
// forward and backward, until nothing new appears. `parts` = ranks.
Candidates Propagate(const graph::Graph& graph, int parts);

}  // namespace tessera::shard
