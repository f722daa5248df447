// The port through which every value of a graph gets its type and shape.
#pragma once

#include "tessera/graph/graph.h"

namespace tessera::graph {

class ShapeOracle {
 public:
  virtual ~ShapeOracle() = default;

  // Fills type, shape, has_shape and symbols of every value of `graph` that can be told, and symbol_names. A
  // value whose rank is not known keeps has_shape = false: never an error. Types and shapes that the model
  // declares are kept where the inference knows less. Errors: kInvalidArgument (the model is inconsistent:
  // the line names the node), kInternal.
  virtual Result<void> Infer(Graph& graph) = 0;
};

}  // namespace tessera::graph
