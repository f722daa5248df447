// Names of the collectives in the rank graphs.
#pragma once

#include "tessera/shard/rank_model.h"

namespace tessera::shard {

// A collective bears its value's name. Where another node has that name too, the collective gets its
// operation behind it ("y/all_reduce"), in the graph and in the list: an engine tells what it holds by these
// names.
void MakeCollectiveNamesUnique(RankModel& model);

}  // namespace tessera::shard
