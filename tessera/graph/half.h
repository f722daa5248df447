// An FP32 model as the same model computed in FP16.
#pragma once

#include <cstdint>

#include "tessera/graph/graph.h"

namespace tessera::graph {

struct HalfReport {
  int64_t nodes_in_half = 0;  // that compute in FP16 what they computed in FP32
  int64_t nodes_in_full = 0;  // that go on in FP32
  int64_t clamped = 0;        // finite elements of constants beyond +-65504, which became +-65504
  bool operator==(const HalfReport&) const = default;
};

// Products, elementwise operators, softmax, operators that move elements and collectives compute in FP16; all
// others go on in FP32, with Casts between: so do sums and powers of normalisations, and what positions,
// indexes and sizes are computed with. Inputs and outputs of the model keep their types, values their names.
// Errors: kInvalidArgument (the type of a value that a node makes is not known, the line names it).
Result<HalfReport> ToHalf(Graph& graph);

}  // namespace tessera::graph
