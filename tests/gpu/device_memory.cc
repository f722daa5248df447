#include "tests/gpu/device_memory.h"

#include "tessera/cuda/copy.h"
#include "tessera/cuda/stream.h"

namespace tessera::gputest {

Region Whole(const cuda::DeviceBuffer& buffer) {
  return DeviceRegion(buffer.bytes(), buffer.device());
}

Result<void> CopyNow(const ConstRegion& from, const Region& to, DeviceId device, Deadline deadline) {
  TRY_ASSIGN(const cuda::Stream stream, cuda::Stream::Create(device));
  TRY(cuda::CopyAsync(from, to, stream));
  return stream.Drain(deadline);
}

}  // namespace tessera::gputest
