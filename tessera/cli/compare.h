// How far two tensors are apart.
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/cli/host_tensor.h"

namespace tessera::cli {

// max_abs: the largest |got - wanted| of all elements. max_rel: max_abs over the largest finite |wanted| of
// the whole tensor (over 1 if that is 0), so an element near zero does not count for more than it is worth.
// NaN equals NaN and an infinity itself; beside anything else they make both figures infinite.
struct Difference {
  double max_abs = 0;
  double max_rel = 0;
};

// Errors: kInvalidArgument (type or shape differ: the line names the tensor, the got and the wanted),
// kUnsupported.
Result<Difference> Compare(const HostTensor& got, const HostTensor& wanted);

// What a tolerance means for a type: floats may differ by `tolerance` relative, integers and bools not at
// all.
bool WithinTolerance(const Difference& difference, DType type, double tolerance);

}  // namespace tessera::cli
