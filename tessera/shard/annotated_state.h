// States in the words of ONNX's multi-device annotations.
#pragma once

#include <optional>

#include "tessera/base/result.h"
#include "tessera/graph/annotation.h"
#include "tessera/shard/state.h"

namespace tessera::shard {

// The state that `tensor` tells of `value`, whose shape is inferred, on `ranks` devices.
// Errors: kInvalidArgument (axes and sizes that the value does not have), kUnsupported (some of the devices
// only, several axes, two factors of a dimension).
Result<State> AnnotatedState(const graph::ShardedTensor& tensor, const graph::Value& value, int ranks);

// The same the other way. nullopt: an annotation cannot tell it (partial sums, runs of several sizes or of a
// number that is not known).
std::optional<graph::ShardedTensor> AnnotationOf(const graph::Value& value, const State& state, int parts);

}  // namespace tessera::shard
