#include "tessera/engine/tensorrt/device_mover.h"

#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {

Result<std::unique_ptr<Mover>> DeviceMover::Create(DeviceId device) {
  TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device, cuda::Stream::Priority::kHigh));
  return std::unique_ptr<Mover>(new DeviceMover(std::move(stream)));
}

DeviceMover::~DeviceMover() {
  LetGo(std::move(slots_), stream_);
}

Result<Region> DeviceMover::Reserve(size_t slot, size_t bytes) {
  if (slots_.size() <= slot) slots_.resize(slot + 1);
  cuda::DeviceBuffer& buffer = slots_[slot];
  if (buffer.size() < bytes) {
    // Making and freeing memory may wait for the whole GPU: not while a step is half issued.
    TRY_ASSIGN(const auto quiet, DeviceOrder::OfProcess().Quiet());
    TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device()));
    buffer = cuda::DeviceBuffer();
    TRY_ASSIGN(buffer, cuda::DeviceBuffer::Create(device(), bytes));
  }
  return DeviceRegion(buffer.bytes().first(bytes), device());
}

Result<void> DeviceMover::Copy(const ConstRegion& from, const Region& to) {
  return cuda::CopyAsync(from, to, stream_);
}

}  // namespace tessera::engine
