// Errors to and from Triton's C API, and the wrapper of every C entry point.
#pragma once

#include <utility>

#include "tessera/base/caught.h"
#include "tessera/base/result.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton {

// kDeadline and kPeerLost become UNAVAILABLE: the request was right, and may work when it is sent again.
TRITONSERVER_Error_Code ToTritonCode(Code code);
Code FromTritonCode(TRITONSERVER_Error_Code code);

// The same error as Triton's; the caller owns it.
TRITONSERVER_Error* ToTriton(const Error& error) noexcept;

// Takes `error` over, which is what a function of Triton returned; nullptr is success.
Result<void> Check(TRITONSERVER_Error* error, const char* file = __builtin_FILE(),
                   int line = __builtin_LINE());

// For calls whose failure nobody can act upon.
inline void Discard(TRITONSERVER_Error* error) noexcept {
  if (error != nullptr) TRITONSERVER_ErrorDelete(error);
}

// Runs what a C entry point does: a failure or an exception becomes Triton's error, nothing gets past.
template <class Call>
TRITONSERVER_Error* Guarded(Call&& call) noexcept {
  const Result<void> result = Caught(std::forward<Call>(call));
  return result ? nullptr : ToTriton(result.error());
}

}  // namespace tessera::triton
