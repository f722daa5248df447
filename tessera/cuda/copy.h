// Copies between regions, wherever they lie.
#pragma once

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {

// Issues the copy of `from` to `to` (the same bytes()) to `stream`, which is of the device of one of them,
// and returns. Rows may be cut differently only when one side is contiguous. Between GPUs without peer access
// the driver goes through the host. Pageable host memory (kHost) makes the call block until it was read or
// written. Errors: kInvalidArgument (sizes differ), those of CUDA.
Result<void> CopyAsync(const ConstRegion& from, const Region& to, const Stream& stream);

}  // namespace tessera::cuda
