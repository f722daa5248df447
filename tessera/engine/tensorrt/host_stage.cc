#include "tessera/engine/tensorrt/host_stage.h"

#include <algorithm>

namespace tessera::engine {
namespace {

bool Same(const ConstRegion& one, const ConstRegion& other) {
  return one.data == other.data && one.rows == other.rows && one.row_bytes == other.row_bytes &&
         (one.rows <= 1 || one.pitch == other.pitch);
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
    CopyHost(from, PinnedRegion(MutableBytes(at, from.bytes())));
    sent_.push_back(Sent{from, at});
  }
  return PinnedRegion(Bytes(at, from.bytes()));
}

Region HostStage::Receive(const Region& to) {
  std::byte* at = Take(to.bytes());
  received_.push_back(Received{to, at});
  return PinnedRegion(MutableBytes(at, to.bytes()));
}

void HostStage::Finish() {
  for (const Received& received : received_) {
    CopyHost(PinnedRegion(Bytes(received.at, received.to.bytes())), received.to);
  }
  received_.clear();
}

}  // namespace tessera::engine
