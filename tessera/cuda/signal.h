// A counter in host memory that streams write: the host sees that many streams are done for the price of one
// load each, where an event query costs a microsecond a stream.
#pragma once

#include <cstdint>

#include "tessera/base/result.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {

class Signals {
 public:
  // `count` counters, all 0.
  static Result<Signals> Create(int count);

  // Sets counter `index` to `value` once all work issued to `stream` so far is done. The writes before it are
  // visible to a host that sees the value. An error of that work does NOT set it: see Stream::Idle.
  Result<void> Set(int index, uint32_t value, const Stream& stream) const;
  uint32_t Get(int index) const noexcept;

 private:
  Signals(PinnedBuffer memory, void* write_value) : memory_(std::move(memory)), write_value_(write_value) {}
  static constexpr size_t kStride = 64;  // a cache line each
  PinnedBuffer memory_;
  void* write_value_;  // the driver's cuStreamWriteValue32
};

}  // namespace tessera::cuda
