#include "tessera/cuda/peer_check.h"

#include <chrono>
#include <cstring>
#include <map>
#include <utility>

#include "tessera/base/mutex.h"
#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {
namespace {

constexpr size_t kBytes = 64 << 10;
constexpr std::chrono::seconds kLimit{10};  // of a check: a GPU that takes longer hangs
constexpr int kLost = 0xa5;                 // what lies on the target before

struct Verdicts {
  Mutex mutex;
  std::map<std::pair<DeviceId, DeviceId>, bool> arrive GUARDED_BY(mutex);
};

Verdicts& VerdictsOfProcess() {
  static Verdicts verdicts;
  return verdicts;
}

// What a GPU has for its checks, for good: freeing it would wait for a GPU that hangs. Work that did not end
// in its time is in front of the next check's.
struct Place {
  Stream stream;
  DeviceBuffer sent;
  DeviceBuffer got;

  static Result<Place*> On(DeviceId device) {
    static auto* const places = new std::map<DeviceId, Place>;
    if (auto made = places->find(device); made != places->end()) return &made->second;
    TRY_ASSIGN(Stream stream, Stream::Create(device));
    TRY_ASSIGN(DeviceBuffer sent, DeviceBuffer::Create(device, kBytes));
    TRY_ASSIGN(DeviceBuffer got, DeviceBuffer::Create(device, kBytes));
    return &places->emplace(device, Place{std::move(stream), std::move(sent), std::move(got)}).first->second;
  }
};

// Copies of pageable memory would wait for the GPU, whatever the deadline.
struct HostSide {
  PinnedBuffer sent;  // no two neighbours are the same, and none is kLost
  PinnedBuffer got;

  static Result<HostSide*> OfProcess() {
    static HostSide* made = nullptr;
    if (made != nullptr) return made;
    TRY_ASSIGN(PinnedBuffer sent, PinnedBuffer::Create(kBytes));
    TRY_ASSIGN(PinnedBuffer got, PinnedBuffer::Create(kBytes));
    for (size_t i = 0; i < kBytes; ++i) sent.data()[i] = static_cast<std::byte>(i % 157);
    return made = new HostSide{std::move(sent), std::move(got)};
  }
};

Region Whole(const DeviceBuffer& buffer) {
  return DeviceRegion(buffer.bytes(), buffer.device());
}

Result<void> CopyNow(const ConstRegion& from, const Region& to, const Stream& stream, Deadline deadline) {
  TRY(CopyAsync(from, to, stream));
  return stream.Drain(deadline);
}

Result<void> Lose(const Place& place, Deadline deadline) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(place.stream.device()));
  CUDA_TRY(cudaMemsetAsync(place.got.data(), kLost, kBytes, place.stream.get()));
  return place.stream.Drain(deadline);
}

// Read by the target's own stream: the source might see what the target does not.
Result<bool> CopyArrives(DeviceId from, DeviceId to, Deadline deadline, const TamperWithCopy& tamper) {
  TRY_ASSIGN(const HostSide* host, HostSide::OfProcess());
  TRY_ASSIGN(const Place* source, Place::On(from));
  TRY_ASSIGN(const Place* target, Place::On(to));
  TRY(CopyNow(PinnedRegion(host->sent.bytes()), Whole(source->sent), source->stream, deadline));
  TRY(Lose(*target, deadline));
  TRY(CopyNow(Whole(source->sent), Whole(target->got), source->stream, deadline));
  TRY(CopyNow(Whole(target->got), PinnedRegion(host->got.bytes()), target->stream, deadline));
  if (tamper) tamper(from, to, host->got.bytes());
  return std::memcmp(host->got.data(), host->sent.data(), kBytes) == 0;
}

Result<void> DisablePeerAccess(DeviceId from, DeviceId to) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(from));
  CUDA_TRY(cudaDeviceDisablePeerAccess(to.value()));
  return {};
}

Result<bool> Check(DeviceId from, DeviceId to, Deadline deadline, const TamperWithCopy& tamper) {
  TRY_ASSIGN(const bool offered, CanAccessPeer(from, to));
  if (!offered) return false;
  TRY(EnablePeerAccess(from, to));
  TRY_ASSIGN(const bool arrives, CopyArrives(from, to, deadline, tamper));
  if (!arrives && from != to) TRY(DisablePeerAccess(from, to));
  return arrives;
}

}  // namespace

// One check at a time: they share memory.
Result<bool> PeerCopiesArrive(DeviceId from, DeviceId to, Deadline deadline, const TamperWithCopy& tamper) {
  Verdicts& verdicts = VerdictsOfProcess();
  MutexLock lock(verdicts.mutex);
  const auto known = verdicts.arrive.find({from, to});
  if (!tamper && known != verdicts.arrive.end()) return known->second;
  TRY_ASSIGN(const bool arrives, Check(from, to, Sooner(deadline, Deadline::In(kLimit)), tamper));
  if (!tamper) verdicts.arrive.emplace(std::pair(from, to), arrives);
  return arrives;
}

}  // namespace tessera::cuda
