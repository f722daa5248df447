// Which values engines do not write to memory.
#pragma once

#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::shard {

// By value: whether it goes from the op that makes it, a product or an element-wise one, straight into the
// one element-wise op of its shape that reads it. OpenVINO and TensorRT run such ops as one.
std::vector<bool> FusedValues(const graph::Graph& graph);

}  // namespace tessera::shard
