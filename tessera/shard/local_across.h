// A rank's copy of a node that looks along an axis of which every rank has a part: the ranks exchange little,
// inside the node, where the whole axis would be much.
#pragma once

#include "tessera/shard/emitter.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

// Whether `row` cuts the axis that `rule` looks along.
bool LooksAcross(const std::optional<Rule>& rule, const Row& row);

// Appends the nodes that stand for `node`, a rank's copy of `original` with its inputs and outputs in place.
// `bytes`: of the whole of input 0 at nominal sizes.
//
// TopK, ArgMax, ArgMin: the best of every rank's part, gathered, and the best of these. Parts come in the
// order of the ranks, so that of equal elements the one with the lower place wins, as ONNX wants.
//
//   values, places = TopK(part, k)        all   = all_gather(values)     one behind the other
//   places         = places + first       where = all_gather(places)
//   values, which  = TopK(all, k)         places = GatherElements(where, which)
//
// ArgMax and ArgMin find places only; values are gathered from them.
//
// Softmax, LogSoftmax: y = x - all_reduce(max(x)), z = all_reduce(sum(exp(y))); exp(y) / z, or y - log(z).
void AddAcross(Emitter& emitter, const graph::Graph& model, const graph::Node& original, graph::Node node,
               double bytes);

}  // namespace tessera::shard
