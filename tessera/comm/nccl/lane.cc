#include "tessera/comm/nccl/lane.h"

#include <chrono>
#include <map>

#include "tessera/base/log.h"
#include "tessera/base/mutex.h"

namespace tessera::comm {
namespace {

constexpr std::chrono::milliseconds kEndLimit{500};  // of work that was done, or aborted, before

}  // namespace

struct Lane::Shelf {
  Mutex mutex;
  std::multimap<DeviceId, std::unique_ptr<Made>> idle GUARDED_BY(mutex);

  static Shelf& OfProcess() {
    static auto* const shelf = new Shelf;  // models may outlive static destructors
    return *shelf;
  }
};

Result<Lane> Lane::Take(DeviceId device) {
  Shelf& shelf = Shelf::OfProcess();
  {
    MutexLock lock(shelf.mutex);
    if (auto idle = shelf.idle.find(device); idle != shelf.idle.end()) {
      return Lane(std::move(shelf.idle.extract(idle).mapped()));
    }
  }
  TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device));
  TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(device, kBytes));
  return Lane(std::make_unique<Made>(Made{std::move(stream), std::move(buffer)}));
}

Lane::~Lane() {
  if (!made_) return;
  const DeviceId device = stream().device();
  const Result<void> ended = stream().Drain(Deadline::In(kEndLimit));
  if (!ended) {
    TESSERA_LOG(kWarning, "{} MB of GPU {} are left behind: {}", kBytes >> 20, device.value(),
                ended.error().message);
    (void)made_.release();
    return;
  }
  Shelf& shelf = Shelf::OfProcess();
  MutexLock lock(shelf.mutex);
  shelf.idle.emplace(device, std::move(made_));
}

Result<std::vector<Lane>> TakeLanes(const std::vector<DeviceId>& devices) {
  std::vector<Lane> lanes;
  for (const DeviceId device : devices) {
    TRY_ASSIGN(Lane lane, Lane::Take(device));
    lanes.push_back(std::move(lane));
  }
  return lanes;
}

}  // namespace tessera::comm
