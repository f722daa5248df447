#include "tessera/comm/nccl/anchor.h"

#include "tessera/comm/nccl/status.h"

namespace tessera::comm {

Result<Anchors> Anchors::Capture(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms) {
  Anchors anchors;
  for (size_t r = 0; r < devices.size(); ++r) {
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(devices[r]));
    TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(devices[r], sizeof(float)));
    TRY_ASSIGN(cuda::Graph graph, cuda::Graph::Capture(stream, [&]() -> Result<void> {
                 NCCL_TRY(comms[r], ncclAllReduce(buffer.data(), buffer.data(), 1, ncclFloat, ncclSum,
                                                  comms[r], stream.get()));
                 return {};
               }));
    anchors.ranks_.push_back(One{std::move(stream), std::move(buffer), std::move(graph)});
  }
  return anchors;
}

}  // namespace tessera::comm
