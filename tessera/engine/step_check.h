// What every adapter checks about a step before a rank starts, and about the places that a sink gives.
#pragma once

#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// True when `shape` is static, has `wanted`'s rank and its sizes where those are not kDynamic.
bool Fits(const Shape& shape, const Shape& wanted);

// kInvalidArgument unless `step` has a sink and `world_size` ranks whose tensors fit `inputs`, values that
// must fit into 32 bits included: the line names input, got and wanted.
Result<void> CheckStep(const Step& step, int world_size, const std::vector<TensorSpec>& inputs);

// kInvalidArgument unless `place` is unwanted (no data) or has the bytes of a tensor of `type` and `shape`.
Result<void> CheckPlace(const Region& place, const TensorSpec& output, DType type, const Shape& shape);

}  // namespace tessera::engine
