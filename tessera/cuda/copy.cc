#include "tessera/cuda/copy.h"

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

// A contiguous side is cut into rows as the other side has them.
size_t PitchAs(size_t pitch, bool contiguous, size_t row_bytes) {
  return contiguous ? row_bytes : pitch;
}

}  // namespace

Result<void> CopyAsync(const ConstRegion& from, const Region& to, const Stream& stream) {
  if (from.bytes() != to.bytes()) {
    return Fail(Code::kInvalidArgument, "copy of {} bytes to a region of {}", from.bytes(), to.bytes());
  }
  if (from.bytes() == 0) return {};
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  // cudaMemcpyDefault: unified addressing tells host, pinned and device pointers apart, two GPUs included.
  if (from.contiguous() && to.contiguous()) {
    CUDA_TRY(cudaMemcpyAsync(to.data, from.data, from.bytes(), cudaMemcpyDefault, stream.get()));
    return {};
  }
  if (!from.contiguous() && !to.contiguous() && from.row_bytes != to.row_bytes) {
    return Fail(Code::kInvalidArgument, "copy of rows of {} bytes to rows of {}", from.row_bytes,
                to.row_bytes);
  }
  const size_t row_bytes = from.contiguous() ? to.row_bytes : from.row_bytes;
  const size_t rows = from.bytes() / row_bytes;
  CUDA_TRY(cudaMemcpy2DAsync(to.data, PitchAs(to.pitch, to.contiguous(), row_bytes), from.data,
                             PitchAs(from.pitch, from.contiguous(), row_bytes), row_bytes, rows,
                             cudaMemcpyDefault, stream.get()));
  return {};
}

}  // namespace tessera::cuda
