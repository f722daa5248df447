#include "tessera/triton/copies.h"

#include <cstdlib>
#include <new>
#include <utility>

#include "tessera/base/log.h"

namespace tessera::triton {
namespace {

constexpr size_t kAlignment = 64;

size_t RoundUp(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

void Staging::Free::operator()(std::byte* p) const noexcept {
  std::free(p);
}

MutableBytes Staging::Reserve(size_t bytes) {
  if (bytes > capacity_) {
    memory_.reset();
    capacity_ = 0;
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, RoundUp(bytes)));
    if (memory == nullptr) throw std::bad_alloc();
    memory_.reset(memory);
    capacity_ = RoundUp(bytes);
  }
  return {memory_.get(), bytes};
}

Result<Region> Copies::Reserve(size_t slot, size_t bytes, bool on_device) {
  if (on_device) return mover_->Reserve(slot, bytes);
  if (staging_.size() <= slot) staging_.resize(slot + 1);
  return HostRegion(staging_[slot].Reserve(bytes));
}

Result<void> Copies::Copy(const ConstRegion& from, const Region& to) {
  if (from.bytes() == 0) return {};
  if (from.kind != MemoryKind::kDevice && to.kind != MemoryKind::kDevice) {
    CopyHost(from, to);
    return {};
  }
  moving_ = true;
  return mover_->Copy(from, to);
}

Result<void> Copies::Finish(Result<void> issued, Deadline deadline) {
  if (!std::exchange(moving_, false)) return issued;
  Result<void> moved = mover_->Wait(deadline);
  if (!moved && moved.error().code == Code::kDeadline) {
    if (Result<void> late = mover_->Wait(Deadline::In(kLeaveLimit)); !late) {
      TESSERA_LOG(kError, "copies from or to requests do not end: {}", late.error().message);
    }
  }
  return issued ? moved : issued;
}

}  // namespace tessera::triton
