// Copies of a step that run while the GPU computes the step before.
#pragma once

#include <vector>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::engine {

// A rank's streams for copies beside its compute, for all its steps: each way has a link of its own.
struct CopyLanes {
  static Result<CopyLanes> Create(DeviceId device);
  cuda::Stream in;
  cuda::Stream out;
};

// One rank's large copies of one step at a time, by way of memory on its GPU that is not the engine's: an
// input comes there while the step before computes, and goes to its place, at the speed of the GPU's memory,
// when the rank's stream has come to this step; an output leaves from there while the next step computes.
class SideCopies {
 public:
  // Smaller copies take no longer than the two that would replace them, and an event.
  static constexpr size_t kLeastBytes = size_t{256} << 10;

  // `lanes` and `stream`, the rank's own, outlive this.
  static Result<SideCopies> Create(const CopyLanes& lanes, const cuda::Stream& stream, size_t inputs,
                                   size_t outputs);

  // Whether a copy from or to `region` is better made by way of here: it leaves the GPU, and is large.
  template <class AnyRegion>
  bool Pays(const AnyRegion& region) const {
    return region.bytes() >= kLeastBytes &&
           (region.kind != MemoryKind::kDevice || region.device != stream_->device());
  }

  bool HasInput(size_t input, size_t bytes) const { return inputs_[input].size() >= bytes; }
  bool HasOutput(size_t output, size_t bytes) const { return outputs_[output].size() >= bytes; }
  // Makes that room. No step is in flight. Waits for the GPU: see DeviceOrder::Quiet.
  Result<void> MakeInput(size_t input, size_t bytes);
  Result<void> MakeOutput(size_t output, size_t bytes);

  // Issues the copy of `from` here; there is room.
  Result<void> Bring(size_t input, const ConstRegion& from, std::byte* to);
  // What was brought goes to its place once it is here and the rank's stream has come so far.
  Result<void> Deliver();

  // Issues the copy of `from` here, behind what was issued to the rank's stream; there is room.
  Result<void> Fetch(size_t output, const std::byte* from, const Region& to);
  // What was fetched leaves. Returns the stream with this step's last work of the rank.
  Result<const cuda::Stream*> Leave();

 private:
  SideCopies(const CopyLanes& lanes, const cuda::Stream& stream, cuda::Event here, cuda::Event ready,
             size_t inputs, size_t outputs)
      : lanes_(&lanes),
        stream_(&stream),
        here_(std::move(here)),
        ready_(std::move(ready)),
        inputs_(inputs),
        outputs_(outputs) {}
  Result<void> Make(cuda::DeviceBuffer& buffer, size_t bytes) const;

  struct Copy {
    ConstRegion from;
    Region to;
  };
  const CopyLanes* lanes_;
  const cuda::Stream* stream_;
  cuda::Event here_;   // the inputs are
  cuda::Event ready_;  // the outputs are, to leave
  std::vector<cuda::DeviceBuffer> inputs_;
  std::vector<cuda::DeviceBuffer> outputs_;
  std::vector<Copy> to_deliver_;
  std::vector<Copy> to_leave_;
};

}  // namespace tessera::engine
