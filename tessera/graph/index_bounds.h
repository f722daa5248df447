// What values an integer input of a model may take, as far as the graph tells.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// For each integer input that indexes a table of known length (Gather and its kin, through ops that only move
// elements) or is made a one-hot code: the length of the shortest such table or code. Inputs that do not are
// absent: masks, counts, flags.
std::map<std::string, int64_t> IndexBounds(const Graph& graph);

}  // namespace tessera::graph
