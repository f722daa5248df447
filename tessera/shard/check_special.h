// Ops whose operands are cut in different ways at the same time: for these, dimensions that go together say
// too little.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// By attribute: by what it is divided on a rank.
using Divisors = std::map<std::string, int64_t>;

// States of all inputs and outputs of a node that go together; attributes to be divided on a rank.
struct SpecialCut {
  std::vector<State> inputs;
  std::vector<State> outputs;
  Divisors divided;
};

// Attention: the query heads that share a key head, cut; fewer key heads than ranks, a copy for each of
// several; and the width of the values, cut. DepthToSpace and SpaceToDepth: the channels under every place of
// the block. Those that divide.
std::vector<SpecialCut> SpecialCuts(const graph::Graph& model, const graph::Node& node, int parts);

}  // namespace tessera::shard
