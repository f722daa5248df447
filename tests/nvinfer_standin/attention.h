// Attention that a graph spells out as products and a softmax.
#pragma once

#include <cstddef>
#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::standin {

// softmax(scale * q k') v, without a mask: what TensorRT, too, runs as one kernel.
struct Attention {
  graph::ValueId q, k_transposed, v;
  float scale = 1;
  std::vector<size_t>
      nodes;  // q k', the scaling if there is one, the softmax, the product with v: in this order
};

// Every MatMul -> (Mul or Div by a constant number) -> Softmax along the last axis -> MatMul whose values
// between nobody else reads.
std::vector<Attention> FindAttentions(const graph::Graph& graph);

}  // namespace tessera::standin
