// The propagator: from the cuts worth trying to every row that could matter, over the whole graph.
#pragma once

#include <map>
#include <set>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/row.h"
#include "tessera/shard/tables.h"

namespace tessera::shard {

// Which plans are looked at: where cuts start, and what may be cut.
struct Space {
  int parts = 1;
  bool weights = true;   // tensor parallel: weights may be cut, cuts start at their dimensions
  bool batch = false;    // data parallel: cuts start at first dimensions of inputs and activations
  bool context = false;  // context parallel: at their other dimensions (sequence, heads)
  bool dynamic = false;  // dynamic sizes of inputs may be cut: requests must be multiples of `parts` there
  TablePolicy tables = {};

  bool activations() const { return batch || context; }
};

struct Candidates {
  std::vector<Rows> makers;             // by node
  std::vector<std::vector<Row>> rows;   // by node; the first is the replicated one, unless it was ruled out
  std::vector<std::set<State>> states;  // by value: states that a row produces or asks for, R not listed
  // By model input: how the executor could hand it over; R is one of them.
  std::vector<std::set<State>> inputs;
  // Symbols of dynamic sizes that requests must keep multiples of `parts`.
  std::set<int32_t> divisible;
  // The state in which a value must be had once its node, and a reduction of what that leaves, are done.
  std::map<graph::ValueId, State> delivered = {};
};

// A cut that is asked for: of an input or output of a node.
struct Start {
  size_t node = 0;
  Operand operand;
  State state;
};

// Starts from plain cuts, and those of `starts`, and follows them through producers and consumers, forward
// and backward, until nothing new appears.
Candidates Propagate(const graph::Graph& graph, const Space& space, const std::vector<Start>& starts = {});

}  // namespace tessera::shard
