#include "tessera/cuda/peer_check.h"

#include <map>
#include <utility>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {
namespace {

constexpr size_t kBytes = 64 << 10;
constexpr int kLost = 0xa5;  // what lies on the target before

struct Verdicts {
  Mutex mutex;
  std::map<std::pair<DeviceId, DeviceId>, bool> arrive GUARDED_BY(mutex);
};

Verdicts& VerdictsOfProcess() {
  static Verdicts verdicts;
  return verdicts;
}

// No two neighbours are the same, and none is kLost.
std::vector<std::byte> Content() {
  std::vector<std::byte> content(kBytes);
  for (size_t i = 0; i < kBytes; ++i) content[i] = static_cast<std::byte>(i % 157);
  return content;
}

Region On(const DeviceBuffer& buffer) {
  return {buffer.data(), 1, kBytes, kBytes, MemoryKind::kDevice, buffer.device()};
}
ConstRegion From(const DeviceBuffer& buffer) {
  return {buffer.data(), 1, kBytes, kBytes, MemoryKind::kDevice, buffer.device()};
}

Result<void> Fill(const DeviceBuffer& buffer, const std::vector<std::byte>& content, Deadline deadline) {
  TRY_ASSIGN(const Stream stream, Stream::Create(buffer.device()));
  TRY(CopyAsync(HostRegion(Bytes(content)), On(buffer), stream));
  return stream.Drain(deadline);
}

// Read by the target's own stream: the source might see what the target does not.
Result<std::vector<std::byte>> Read(const DeviceBuffer& buffer, Deadline deadline) {
  std::vector<std::byte> content(kBytes);
  TRY_ASSIGN(const Stream stream, Stream::Create(buffer.device()));
  TRY(CopyAsync(From(buffer), HostRegion(MutableBytes(content)), stream));
  TRY(stream.Drain(deadline));
  return content;
}

Result<bool> CopyArrives(DeviceId from, DeviceId to, Deadline deadline, const TamperWithCopy& tamper) {
  const std::vector<std::byte> content = Content();
  TRY_ASSIGN(const DeviceBuffer source, DeviceBuffer::Create(from, kBytes));
  TRY_ASSIGN(const DeviceBuffer target, DeviceBuffer::Create(to, kBytes));
  TRY(Fill(source, content, deadline));
  TRY(Fill(target, std::vector<std::byte>(kBytes, std::byte{kLost}), deadline));
  TRY_ASSIGN(const Stream stream, Stream::Create(from));
  TRY(CopyAsync(From(source), On(target), stream));
  TRY(stream.Drain(deadline));
  TRY_ASSIGN(std::vector<std::byte> arrived, Read(target, deadline));
  if (tamper) tamper(from, to, arrived);
  return arrived == content;
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

Result<bool> PeerCopiesArrive(DeviceId from, DeviceId to, Deadline deadline, const TamperWithCopy& tamper) {
  if (tamper) return Check(from, to, deadline, tamper);
  Verdicts& verdicts = VerdictsOfProcess();
  MutexLock lock(verdicts.mutex);
  if (auto known = verdicts.arrive.find({from, to}); known != verdicts.arrive.end()) return known->second;
  TRY_ASSIGN(const bool arrives, Check(from, to, deadline, tamper));
  verdicts.arrive.emplace(std::pair(from, to), arrives);
  return arrives;
}

}  // namespace tessera::cuda
