// Ops whose operands are cut in different ways at the same time: for these, dimensions that go together say
// too little.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// States of all inputs and outputs of a node that go together; attributes to be divided on a rank.
struct SpecialCut {
  std::vector<State> inputs;
  std::vector<State> outputs;
  std::vector<std::string> divided;
};

// Attention: the query heads that share a key head, cut; and the width of the values, cut. DepthToSpace and
// SpaceToDepth: the channels under every place of the block. Those that divide.
std::vector<SpecialCut> SpecialCuts(const graph::Graph& model, const graph::Node& node, int parts);

}  // namespace tessera::shard
