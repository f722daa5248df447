#include "tessera/engine/tensorrt/probe_buffers.h"

#include <mutex>
#include <utility>

#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/let_go.h"
#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {

Result<std::shared_ptr<ProbeBuffers>> ProbeBuffers::Create(const std::vector<DeviceId>& devices,
                                                           size_t bytes) {
  std::shared_ptr<ProbeBuffers> made(new ProbeBuffers);  // its end waits for the lock: it goes behind it
  TRY_ASSIGN(const auto quiet, DeviceOrder::OfProcess().Quiet());
  const size_t room = GatherChunk(bytes, static_cast<int>(devices.size())) * devices.size();
  for (const DeviceId device : devices) {
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device));
    TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(device, room));
    made->lanes_.push_back(Lane{std::move(stream), std::move(buffer)});
  }
  TRY_ASSIGN(made->source_, cuda::PinnedBuffer::Create(bytes));
  TRY_ASSIGN(made->arrived_, cuda::PinnedBuffer::Create(bytes));
  made->FillSource();
  return made;
}

void ProbeBuffers::FillSource() {
  constexpr uint64_t kMix = 0x9e3779b97f4a7c15;
  auto* words = reinterpret_cast<uint64_t*>(source_.data());
  for (size_t i = 0; i < source_.size() / sizeof(uint64_t); ++i) words[i] = (i + 1) * kMix;
}

// Freeing pinned memory waits for every GPU: all of it goes, or none.
ProbeBuffers::~ProbeBuffers() {
  if (lanes_.empty()) return;
  const cuda::Stream* last = &lanes_.front().stream;
  for (const Lane& lane : lanes_) {
    if (!lane.stream.Drain(Deadline::In(kDrainLimit))) last = &lane.stream;
  }
  struct Memory {
    cuda::PinnedBuffer source;
    cuda::PinnedBuffer arrived;
    std::vector<cuda::DeviceBuffer> buffers;
    std::deque<std::vector<cuda::Graph>> graphs;
  };
  Memory memory{std::move(source_), std::move(arrived_), {}, std::move(graphs_)};
  for (Lane& lane : lanes_) memory.buffers.push_back(std::move(lane.buffer));
  LetGo(std::move(memory), *last);
}

}  // namespace tessera::engine
