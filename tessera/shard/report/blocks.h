// The rank graph in blocks: layers that the model repeats are one.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/report/folding.h"
#include "tessera/shard/report/node_view.h"

namespace tessera::shard::report {

// By node: where the nodes that it reads from stand, ascending, each once.
using Sources = std::vector<std::vector<size_t>>;
Sources SourcesOf(const graph::Graph& graph);

std::vector<Segment> BlocksOf(const graph::Graph& graph, const std::vector<NodeView>& views,
                              const Sources& sources);

}  // namespace tessera::shard::report
