// The parts of the page that are about numbers, each a piece of HTML. Nothing of the model stands in them
// unescaped.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/rank_model.h"
#include "tessera/shard/report/folding.h"
#include "tessera/shard/report/node_view.h"
#include "tessera/shard/shard.h"

namespace tessera::shard::report {

std::string Tiles(const Outcome& outcome);         // the figures that matter most
std::string Alternatives(const Outcome& outcome);  // what was priced, and why it was not taken
std::string Pareto(const Outcome& outcome);        // time against memory
std::string Ranks(const RankModel& ranks, const Outcome& outcome);
std::string Interface(const plan::Plan& plan);  // inputs and outputs
std::string Collectives(const Outcome& outcome);
std::string Weights(const graph::Graph& model, const RankModel& ranks);  // the largest
std::string Blocks(const std::vector<NodeView>& views, const std::vector<Segment>& blocks);

}  // namespace tessera::shard::report
