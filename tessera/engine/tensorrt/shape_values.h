// Shape tensors: inputs whose values TensorRT reads on the host, because shapes depend on them.
#pragma once

#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// Values as the engine's type has them in memory: [input]; empty: not a shape tensor.
using HostValues = std::vector<std::vector<std::byte>>;

// Every rank is given the same values of each shape tensor, in host memory. Errors: kInvalidArgument.
Result<void> CheckShapeValues(const Step& step, const std::vector<TensorSpec>& inputs);

// Of a step that passed the check.
HostValues ValuesOf(const Step& step, const std::vector<TensorSpec>& inputs);
// Whether ValuesOf would give `values`; makes nothing.
bool HasValues(const Step& step, const HostValues& values);

}  // namespace tessera::engine
