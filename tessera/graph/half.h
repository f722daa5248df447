// An FP32 model as the same model computed in 16 bits: FP16 or BF16.
#pragma once

#include <cstdint>
#include <string>

#include "tessera/graph/graph.h"

namespace tessera::graph {

struct HalfReport {
  int64_t nodes_in_half = 0;  // that compute in 16 bits what they computed in FP32
  int64_t nodes_in_full = 0;  // that go on in FP32
  int64_t clamped = 0;  // finite elements of constants that the type does not reach, which became its largest
  bool operator==(const HalfReport&) const = default;
};

// "FP16" is "fp16": how options, files and values are named after such a type.
std::string LowerName(DType type);

// `type` is kFloat16, or kBFloat16 for models that need FP32's range. Products, elementwise operators,
// softmax, operators that move elements and collectives compute in it; all others go on in FP32, with Casts
// between: so do sums and powers of normalisations, and what positions, indexes and sizes are computed with.
// Inputs and outputs of the model keep their types, values their names. BF16 is for TensorRT: ONNX's older
// operator sets do not list it for every operator. Errors: kInvalidArgument (another `type`; the type of a
// value that a node makes is not known, the line names it).
Result<HalfReport> ToHalf(Graph& graph, DType type);

}  // namespace tessera::graph
