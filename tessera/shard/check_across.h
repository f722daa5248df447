// A node that looks along an axis of which every rank has a part, as the checker reads it.
#pragma once

#include "tessera/shard/check_held.h"

namespace tessera::shard::check {

// `node` is the end of what stands for `copied`, a TopK, ArgMax, ArgMin, Softmax or LogSoftmax of the model,
// on ranks that have parts of its axis: for one of its outputs. What it gives must be held as the model's
// value is: whole, or for a softmax cut along the axis.
bool IsFoundAcross(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                   const graph::Node& node, const graph::Node& copied);

}  // namespace tessera::shard::check
