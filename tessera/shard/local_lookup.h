// A rank's copy of a Gather that has a part of the axis it looks up in (a vocabulary-parallel embedding).
#pragma once

#include <optional>

#include "tessera/shard/emitter.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

// Appends `node`, a rank's copy of `original` of the unsharded `model` with its inputs and outputs in place.
// Where `row` cuts the axis that `rule` looks up in, what lies on other ranks is looked up nowhere and given
// as zero, so that the sum over the ranks is exactly what the whole table gives:
//
//   place = (indices - first element of the rank) mod size     negative indices count from the end, as ONNX
//   says here  = place < size / N Where(here, Gather(part, Where(here, place, 0)), 0)
void AddToRank(Emitter& emitter, const graph::Graph& model, const graph::Node& original,
               const std::optional<Rule>& rule, const Row& row, graph::Node node);

}  // namespace tessera::shard
