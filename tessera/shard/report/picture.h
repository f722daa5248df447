// The graph that every rank runs, drawn: a box a node, coloured by how its output lies over the ranks.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/report/blocks.h"

namespace tessera::shard::report {

struct Picture {
  std::string svg;
  size_t drawn = 0;     // nodes; a repeated block's once
  size_t left_out = 0;  // nodes of blocks that are too large to be drawn
};

Picture Draw(const RankModel& ranks, const std::vector<NodeView>& views,
             const std::vector<double>& collective_us, const Sources& sources,
             const std::vector<Segment>& blocks);

}  // namespace tessera::shard::report
