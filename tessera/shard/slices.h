// Slices that take a projection apart ([q | k | v], [gate | up]) become one Split, which can be cut piece by
// piece.
#pragma once

#include "tessera/graph/graph.h"

namespace tessera::shard {

// Shapes must be inferred; call RefineShapes afterwards. Only Slices of one axis of known size, with bounds
// known before the run (constants, or what shape chains make of sizes), that do not overlap; what lies
// between them becomes a piece that nobody reads. Others, and those of values that are no projections (rotary
// halves ..), stay as they are. Numbers of nodes change.
void SplitWhereSliced(graph::Graph& graph);

}  // namespace tessera::shard
