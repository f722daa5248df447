// ONNX's multi-device annotations as constraints on a plan, and a plan as annotations.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "tessera/graph/annotation.h"
#include "tessera/shard/candidates.h"
#include "tessera/shard/search.h"

namespace tessera::shard {

// That a node reads or makes a tensor in a state. By names: passes before the search renumber nodes.
struct Hint {
  std::string node;    // for messages: "node 'x' (MatMul)"
  std::string output;  // a value that the node makes
  std::string tensor;
  bool made = false;  // by the node; else read
  State state;
};

// The annotations of the one configuration for so many devices; none where the model has no annotations.
// Shapes must be inferred. Everything that a plan cannot hold is refused, with the node and the tensor.
// Errors: kInvalidArgument (no configuration for `ranks`, or several; axes and sizes that the tensor does not
// have), kUnsupported (some of the devices only, several axes, pipeline stages, annotations inside functions
// and subgraphs).
Result<std::vector<Hint>> HintsOf(const graph::Graph& graph, int ranks);

// States that hints start cuts from, for Propagate.
std::vector<Start> StartsOf(const graph::Graph& graph, const std::vector<Hint>& hints);

// Leaves only rows that agree with the first `count` hints, and tells the search in which state values must
// be had. Errors: kUnsupported (a node has no such row: names it and the tensor).
Result<void> Constrain(const graph::Graph& graph, const std::vector<Hint>& hints, size_t count,
                       Candidates& candidates);

// By output of each node: what its inputs and outputs hold. Partial sums and cuts of unequal pieces, which
// annotations cannot tell, are left out; a sum that is reduced at once is told as what it becomes.
std::map<std::string, std::vector<graph::ShardedTensor>> AnnotationsOf(const graph::Graph& graph,
                                                                       const Candidates& candidates,
                                                                       const Assignment& assignment,
                                                                       int parts);

}  // namespace tessera::shard
