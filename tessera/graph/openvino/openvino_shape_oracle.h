// ShapeOracle over OpenVINO's ONNX frontend and its symbolic shape inference. No weight is copied and nothing
// is compiled: a graph of 50,000 nodes takes seconds.
#pragma once

#include <memory>

#include "tessera/graph/shape_oracle.h"

namespace tessera::graph {

// Understands the standard operators, what OpenVINO adds, and DistCollective in any domain. A node that
// OpenVINO cannot convert leaves its outputs as the model declares them, or unknown; inference goes on behind
// it.
std::unique_ptr<ShapeOracle> MakeOpenVinoShapeOracle();

}  // namespace tessera::graph
