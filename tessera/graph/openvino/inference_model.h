// The model that OpenVINO is given in place of a graph: the same nodes, without the weights and with every
// value alive.
#pragma once

#include <string>
#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// What was learned from earlier tries.
struct InferenceChoices {
  std::vector<bool> cut;   // by node: leave it out, its outputs become inputs as declared
  std::vector<bool> keep;  // by value: a large constant that OpenVINO must see
};

// Is this constant given to OpenVINO as a mere input? Small ones and those that shapes are computed from
// stay.
bool IsLargeWeight(const Constant& constant);

Result<std::string> InferenceModelOf(const Graph& graph, const InferenceChoices& choices);

}  // namespace tessera::graph
