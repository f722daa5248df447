// Steps that are run before a model instance answers requests.
#pragma once

#include "tessera/exec/executor.h"
#include "tessera/triton/optimization.h"

namespace tessera::triton {

// Runs the shapes of `specs` on zeros, so that requests of these shapes find kernels loaded and steps
// captured. Errors: kInvalidArgument (a shape that the engines do not take, an input that is none), those of
// running a step.
Result<void> WarmUp(exec::Executor& executor, const std::vector<GraphSpec>& specs, Deadline deadline);

}  // namespace tessera::triton
