// Functions of the CUDA driver that the runtime has not. They come by way of the runtime: nothing is linked
// with libcuda, so that everything loads on machines without one.
#pragma once

#include "tessera/base/result.h"

namespace tessera::cuda {

// `name` as this version of CUDA has it, 12000 for 12.0; the caller casts it to its type in cuda.h. Errors:
// kUnavailable (no driver, or one without it).
Result<void*> DriverFunction(const char* name, unsigned version = 12000);

}  // namespace tessera::cuda
