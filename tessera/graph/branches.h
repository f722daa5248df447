// Ifs that need not be left to the run: exporters write one wherever their program branched on a rank or a
// size.
#pragma once

#include "tessera/graph/facts.h"

namespace tessera::graph {

// Puts the branch that is taken in place of each If of `graph`, at any depth, where that is certain: its
// condition follows from ranks and sizes, or the other branch can only fail (its rank does not fit an op that
// reads it). What the model computes stays the same; a run that would have failed still fails, if at another
// node. `outer`: what is known of values from outside. Ifs that depend on the run stay. Leaves `graph` as it
// was if every way through it fails.
void SettleBranches(pb::GraphProto& graph, const Facts& outer);

}  // namespace tessera::graph
