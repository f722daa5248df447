// Functions of the CUDA driver that the runtime has not. They come by way of the runtime: nothing is linked
// with libcuda, so that everything loads on machines without one.
#pragma once

#include "tessera/base/result.h"

namespace tessera::cuda {

// `name` as this version of CUDA has it, 12000 for 12.0. Errors: kUnavailable (no driver, or one without it).
Result<void*> FindDriverFunction(const char* name, unsigned version);

// The same as what it is, a pointer to a function: see cuda.h.
template <class Pointer>
Result<Pointer> DriverFunction(const char* name, unsigned version = 12000) {
  TRY_ASSIGN(void* found, FindDriverFunction(name, version));
  return reinterpret_cast<Pointer>(found);
}

}  // namespace tessera::cuda
