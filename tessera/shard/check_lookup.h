// A Gather of which every rank has a part of the axis, as the checker reads it.
#pragma once

#include "tessera/shard/check_held.h"

namespace tessera::shard::check {

// `node` is the end of a lookup in parts that stands for `copied`, a Gather of the model: every rank looks up
// the places that lie in its part of the table and gives zeros for all others, partial sums.
bool IsLookupInParts(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                     const graph::Node& node, const graph::Node& copied);

}  // namespace tessera::shard::check
