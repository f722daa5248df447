// What is checked about a request before any rank sees it: a step that fails inside the ranks costs a reload,
// a bad request must not.
#pragma once

#include <span>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

// kInvalidArgument unless `inputs` are what `planned` says: count, types, shapes, equal sizes of dimensions
// of one name, split axes that divide by `world_size`. The line names the input, the got and the wanted.
Result<void> CheckInputs(std::span<const TensorView> inputs, const std::vector<plan::TensorPlan>& planned,
                         int world_size);

}  // namespace tessera::exec
