#include "tessera/engine/tensorrt/host_stage.h"

#include <algorithm>

namespace tessera::engine {
namespace {

bool Same(const ConstRegion& one, const ConstRegion& other) {
  return one.data == other.data && one.rows == other.rows && one.row_bytes == other.row_bytes &&
         (one.rows <= 1 || one.pitch == other.pitch);
}

Region Pinned(std::byte* at, size_t bytes) {
  return {at, 1, bytes, bytes, MemoryKind::kPinned};
}

}  // namespace

bool HostStage::HasRoom(size_t bytes, size_t pieces) const {
  return memory_.size() >= bytes + pieces * kAlignment;
}

Result<void> HostStage::MakeRoom(size_t bytes, size_t pieces) {
  if (HasRoom(bytes, pieces)) return {};
  const size_t wanted = std::max(bytes + pieces * kAlignment, memory_.size() * 3 / 2);
  memory_ = cuda::PinnedBuffer();
  TRY_ASSIGN(memory_, cuda::PinnedBuffer::Create(wanted));
  return {};
}

void HostStage::Begin() {
  sent_.clear();
  received_.clear();
  used_ = 0;
}

std::byte* HostStage::Take(size_t bytes) {
  std::byte* at = memory_.data() + used_;
  used_ += (bytes + kAlignment - 1) / kAlignment * kAlignment;
  return at;
}

ConstRegion HostStage::Put(const ConstRegion& from) {
  auto known =
      std::find_if(sent_.begin(), sent_.end(), [&](const Sent& sent) { return Same(sent.from, from); });
  std::byte* at = nullptr;
  if (known != sent_.end()) {
    at = known->at;
  } else {
    at = Take(from.bytes());
    CopyHost(from, Pinned(at, from.bytes()));
    sent_.push_back(Sent{from, at});
  }
  return {at, 1, from.bytes(), from.bytes(), MemoryKind::kPinned};
}

Region HostStage::Receive(const Region& to) {
  std::byte* at = Take(to.bytes());
  received_.push_back(Received{to, at});
  return Pinned(at, to.bytes());
}

void HostStage::Finish() {
  for (const Received& received : received_) {
    const size_t bytes = received.to.bytes();
    CopyHost({received.at, 1, bytes, bytes, MemoryKind::kPinned}, received.to);
  }
  received_.clear();
}

}  // namespace tessera::engine
