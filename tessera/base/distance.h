// How far the numbers of two tensors are apart.
#pragma once

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera {

// The largest |got - wanted| of two dense tensors of as many elements. NaN equals NaN and an infinity itself;
// beside anything else they are infinitely far. Errors: kUnsupported (as AccessOf), kInvalidArgument (sizes).
Result<double> LargestDistance(DType type, Bytes got, Bytes wanted);

// The largest finite magnitude, 1 if that is 0: what a distance is measured by, so that an element near zero
// does not count for more than it is worth. Errors: kUnsupported.
Result<double> Magnitude(DType type, Bytes values);

}  // namespace tessera
