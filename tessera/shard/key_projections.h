// Projections to heads of keys and values that are fewer than the ranks.
#pragma once

#include <set>

#include "tessera/graph/graph.h"

namespace tessera::shard {

// The products with a weight that make the keys and values of an attention with fewer key heads than `parts`,
// where these divide: a group of ranks needs the same head, so their weights cannot all be held once. Found
// from Attention, from heads that are spread (Unsqueeze, Expand, as torch's repeat_kv), from products that
// broadcast one head; back through rotary embeddings, norms and movements. A projection that makes queries,
// too, is none.
std::set<graph::NodeId> SharedKeyProjections(const graph::Graph& graph, int parts);

}  // namespace tessera::shard
