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

Result<DeviceOrder::Turn> DeviceOrder::Hold(std::vector<DeviceId> devices, Deadline deadline) {
  std::sort(devices.begin(), devices.end());
  devices.erase(std::unique(devices.begin(), devices.end()), devices.end());
  Turn turn;
  for (const DeviceId device : devices) {
    if (device.value() >= kMaxDevices)
      return Fail(Code::kUnsupported, "GPU {}: at most {} are served", device.value(), kMaxDevices);
    std::unique_lock lock(slots_[device.value()].mutex, deadline.at());
    if (!lock) {
      return Fail(Code::kUnavailable, "another model's work is being issued to GPU {}, which does not end",
                  device.value());
    }
    turn.locks_.push_back(std::move(lock));
  }
  turn.issuing_ =
      std::shared_lock(issuing_, deadline.at());  // last: who waits for a GPU holds nobody else up
  if (turn.issuing_.owns_lock()) return turn;
  return Fail(Code::kUnavailable,
              "memory that another model's GPUs work with is being freed, which does not end");
}

Result<DeviceOrder::Turn> DeviceOrder::Enter(const void* owner,
                                             const std::vector<const cuda::Stream*>& streams,
                                             Deadline deadline) {
  std::vector<DeviceId> devices;
  for (const cuda::Stream* stream : streams) devices.push_back(stream->device());
  TRY_ASSIGN(Turn turn, Hold(std::move(devices), deadline));
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
  TRY_ASSIGN(Turn turn, Enter(owner, streams, deadline));
  for (const cuda::Stream* stream : streams) TRY(stream->Drain(deadline));
  return turn;
}

Result<std::unique_lock<DeviceOrder::Issuing>> DeviceOrder::Quiet(Deadline deadline) {
  std::unique_lock lock(issuing_, deadline.at());
  if (lock) return lock;
  return Fail(Code::kDeadline, "waited for the launches of other models' steps until the deadline passed");
}

bool DeviceOrder::Leave(const void* owner, Deadline deadline) {
  for (Slot& slot : slots_) {
    if (slot.last_owner != owner) continue;  // others' GPUs are not waited for
    const std::unique_lock lock(slot.mutex, deadline.at());
    if (!lock) return false;
    if (slot.last_owner != owner) continue;
    slot.last_owner = nullptr;
    slot.last_streams.clear();
  }
  return true;
}

}  // namespace tessera::engine
