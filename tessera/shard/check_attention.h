// Attention cut inside its heads, which takes other states of its operands than dimensions that go together.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// States of all inputs and outputs of an Attention node that go together; attributes to be divided on a rank.
struct AttentionCut {
  std::vector<State> inputs;
  std::vector<State> outputs;
  std::vector<std::string> divided;
};

// The query heads that share a key head, cut; and the width of the values, cut: those that divide.
std::vector<AttentionCut> CutsInsideHeads(const graph::Graph& model, const graph::Node& node, int parts);

}  // namespace tessera::shard
