#include "tessera/comm/nccl/anchor.h"

#include <map>

#include "tessera/base/mutex.h"
#include "tessera/comm/nccl/status.h"
#include "tessera/cuda/memory.h"

namespace tessera::comm {
namespace {

// What the captured collectives would work on; they are never run. One for all on a GPU, for good: freeing it
// would wait for a GPU that hangs.
Result<std::byte*> BufferOn(DeviceId device) {
  static Mutex mutex;
  static auto* const buffers = new std::map<DeviceId, cuda::DeviceBuffer>;
  const MutexLock lock(mutex);
  if (auto made = buffers->find(device); made != buffers->end()) return made->second.data();
  TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(device, sizeof(float)));
  return buffers->emplace(device, std::move(buffer)).first->second.data();
}

}  // namespace

Result<Anchors> Anchors::Capture(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms) {
  Anchors anchors;
  for (size_t r = 0; r < devices.size(); ++r) {
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(devices[r]));
    TRY_ASSIGN(std::byte * buffer, BufferOn(devices[r]));
    TRY_ASSIGN(cuda::Graph graph, cuda::Graph::Capture(stream, [&]() -> Result<void> {
                 NCCL_TRY(comms[r],
                          ncclAllReduce(buffer, buffer, 1, ncclFloat, ncclSum, comms[r], stream.get()));
                 return {};
               }));
    anchors.ranks_.push_back(One{std::move(stream), std::move(graph)});
  }
  return anchors;
}

}  // namespace tessera::comm
