// Small all-reduces that wait for the same things, made one.
#pragma once

#include <vector>

#include "tessera/shard/search.h"

namespace tessera::shard {

// Values that one all-reduce makes whole: side by side along `axis`, along which alone their sizes differ.
struct Batch {
  std::vector<graph::ValueId> values;
  int axis = 0;
  double saved_us = 0;
};

// Batches of values that `assignment` has summed one by one, where that is cheaper: a collective's start
// costs more than a copy there and back. No value is in two. Two are in one only if as many collectives lie
// before the one as before the other on the longest way from the inputs: so none waits for what comes out of
// its own batch, directly or through other batches.
std::vector<Batch> BatchAllReduces(const graph::Graph& graph, const Candidates& candidates,
                                   const Assignment& assignment, const CostModel& cost);

// By node: whether an output of the model depends on it.
std::vector<bool> LiveNodes(const graph::Graph& graph);

}  // namespace tessera::shard
