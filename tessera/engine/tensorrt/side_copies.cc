#include "tessera/engine/tensorrt/side_copies.h"

#include <algorithm>
#include <utility>

#include "tessera/cuda/copy.h"

namespace tessera::engine {
Result<CopyLanes> CopyLanes::Create(DeviceId device) {
  TRY_ASSIGN(cuda::Stream in, cuda::Stream::Create(device));
  TRY_ASSIGN(cuda::Stream out, cuda::Stream::Create(device));
  return CopyLanes{std::move(in), std::move(out)};
}

Result<SideCopies> SideCopies::Create(const CopyLanes& lanes, const cuda::Stream& stream, size_t inputs,
                                      size_t outputs) {
  TRY_ASSIGN(cuda::Event here, cuda::Event::Create(stream.device()));
  TRY_ASSIGN(cuda::Event ready, cuda::Event::Create(stream.device()));
  return SideCopies(lanes, stream, std::move(here), std::move(ready), inputs, outputs);
}

Result<void> SideCopies::MakeInput(size_t input, size_t bytes) {
  return Make(inputs_[input], bytes);
}

Result<void> SideCopies::MakeOutput(size_t output, size_t bytes) {
  return Make(outputs_[output], bytes);
}

Result<void> SideCopies::Make(cuda::DeviceBuffer& buffer, size_t bytes) const {
  if (buffer.size() >= bytes) return {};
  const size_t wanted = std::max(bytes, buffer.size() * 3 / 2);
  buffer = cuda::DeviceBuffer();
  TRY_ASSIGN(buffer, cuda::DeviceBuffer::Create(stream_->device(), wanted));
  return {};
}

Result<void> SideCopies::Bring(size_t input, const ConstRegion& from, std::byte* to) {
  const DeviceId device = stream_->device();
  const Region here = DeviceRegion(inputs_[input].bytes().first(from.bytes()), device);
  TRY(cuda::CopyAsync(from, here, lanes_->in));
  to_deliver_.push_back({here, DeviceRegion(MutableBytes(to, from.bytes()), device)});
  return {};
}

Result<void> SideCopies::Deliver() {
  if (to_deliver_.empty()) return {};
  TRY(here_.Record(lanes_->in.get()));
  TRY(stream_->After(here_));
  for (const Copy& copy : to_deliver_) TRY(cuda::CopyAsync(copy.from, copy.to, *stream_));
  to_deliver_.clear();
  return {};
}

Result<void> SideCopies::Fetch(size_t output, const std::byte* from, const Region& to) {
  const DeviceId device = stream_->device();
  const Region here = DeviceRegion(outputs_[output].bytes().first(to.bytes()), device);
  TRY(cuda::CopyAsync(DeviceRegion(Bytes(from, to.bytes()), device), here, *stream_));
  to_leave_.push_back({here, to});
  return {};
}

Result<const cuda::Stream*> SideCopies::Leave() {
  if (to_leave_.empty()) return stream_;
  TRY(ready_.Record(stream_->get()));
  TRY(lanes_->out.After(ready_));
  for (const Copy& copy : to_leave_) TRY(cuda::CopyAsync(copy.from, copy.to, lanes_->out));
  to_leave_.clear();
  return &lanes_->out;
}

}  // namespace tessera::engine
