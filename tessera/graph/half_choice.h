// Which nodes of an FP32 model can compute in 16 bits, FP16 or BF16.
#pragma once

#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// Whether a value is FP32; kNoValue is not.
bool IsFull(const Graph& graph, ValueId id);

// By node number, in `type`, FP16 or BF16; false for a node that reads and makes no FP32 as well.
std::vector<bool> NodesInHalf(const Graph& graph, DType type);

}  // namespace tessera::graph
