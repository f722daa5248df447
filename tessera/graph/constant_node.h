// Constant nodes as the tensors that they stand for.
#pragma once

#include <optional>

#include "tessera/graph/schema.h"
#include "tessera/graph/tensor_reader.h"

namespace tessera::graph {

// Takes the content of `node` where it gives a constant. nullopt: `node` is no Constant, or one that a graph
// keeps as a node (it refers to a function's attribute, is sparse, or carries what a Constant does not hold).
// Errors: as TensorReader::Read, which names the node's output.
Result<std::optional<Constant>> ReadConstantNode(pb::NodeProto& node, TensorReader& tensors);

}  // namespace tessera::graph
