// A node's operands and attributes that count elements, rewritten for what a rank holds.
#pragma once

#include "tessera/base/result.h"
#include "tessera/shard/emitter.h"
#include "tessera/shard/known_elements.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

// `node` is the rank's copy of `original`, its inputs already those of the rank graph. `known`: by value of
// the unsharded `model`.
Result<void> ApplyEdits(Emitter& emitter, const graph::Graph& model, const std::vector<Elements>& known,
                        const graph::Node& original, const Rule& rule, const Row& row, graph::Node& node);

}  // namespace tessera::shard
