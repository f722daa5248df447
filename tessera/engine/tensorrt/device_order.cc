#include "tessera/engine/tensorrt/device_order.h"

#include <algorithm>

#include "tessera/cuda/device.h"

namespace tessera::engine {

namespace {

void AddOnce(std::vector<cudaStream_t>& streams, cudaStream_t stream) {
  if (std::find(streams.begin(), streams.end(), stream) == streams.end()) streams.push_back(stream);
}

}  // namespace

DeviceOrder& DeviceOrder::OfProcess() {
  static DeviceOrder* const order =
      new DeviceOrder;  // never destroyed: models may outlive static destructors
  return *order;
}

Result<DeviceOrder::Turn> DeviceOrder::Hold(std::vector<DeviceId> devices) {
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  Turn turn;
  for (const DeviceId device : devices) {
    if (device.value() >= kMaxDevices)
      return Fail(Code::kUnsupported, "GPU {}: at most {} are served", device.value(), kMaxDevices);
    turn.locks_.emplace_back(slots_[device.value()].mutex);
  }
  turn.issuing_ = std::shared_lock(issuing_);  // last: who waits for a GPU holds nobody else up
  return turn;
}

Result<DeviceOrder::Turn> DeviceOrder::Enter(const void* owner,
                                             const std::vector<const cuda::Stream*>& streams) {
  std::vector<DeviceId> devices;
  for (const cuda::Stream* stream : streams) devices.push_back(stream->device());
  TRY_ASSIGN(Turn turn, Hold(std::move(devices)));
  for (const cuda::Stream* stream : streams) {
    const Slot& slot = slots_[stream->device().value()];
    if (slot.last_owner == owner) continue;
    for (cudaStream_t last : slot.last_streams) {
      TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(stream->device()));
      TRY_ASSIGN(cuda::Event done, cuda::Event::Create(stream->device()));
      TRY(done.Record(last));  // all that the other model has issued so far
      TRY(stream->After(done));
    }
  }
  for (const cuda::Stream* stream : streams) {
    Slot& slot = slots_[stream->device().value()];
    if (slot.last_owner != owner) slot.last_streams.clear();
    slot.last_owner = owner;
    AddOnce(slot.last_streams, stream->get());
  }
  return turn;
}

Result<DeviceOrder::Turn> DeviceOrder::EnterAlone(const void* owner,
                                                  const std::vector<const cuda::Stream*>& streams,
                                                  Deadline deadline) {
  TRY_ASSIGN(Turn turn, Enter(owner, streams));
  for (const cuda::Stream* stream : streams) TRY(stream->Drain(deadline));
  return turn;
}

void DeviceOrder::Leave(const void* owner) {
  for (Slot& slot : slots_) {
    std::unique_lock<std::mutex> lock(slot.mutex);
    if (slot.last_owner != owner) continue;
    slot.last_owner = nullptr;
    slot.last_streams.clear();
  }
}

}  // namespace tessera::engine
