#include "tessera/cuda/graph.h"

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {

Result<Graph> Graph::Capture(const Stream& stream, const std::function<Result<void>()>& record) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  CUDA_TRY(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
  Result<void> recorded = record();
  cudaGraph_t raw = nullptr;
  const cudaError_t ended =
      cudaStreamEndCapture(stream.get(), &raw);  // in any case: leaves the stream usable
  UniqueHandle<GraphTraits> graph(raw);
  TRY(std::move(recorded));
  CUDA_TRY(ended);
  cudaGraphExec_t exec = nullptr;
  CUDA_TRY(cudaGraphInstantiate(&exec, graph.get(), 0));
  Graph made(graph.Release(), exec);
  CUDA_TRY(cudaGraphUpload(exec, stream.get()));
  return made;
}

Result<void> Graph::Launch(const Stream& stream) const {
  CUDA_TRY(cudaGraphLaunch(exec_.get(), stream.get()));
  return {};
}

}  // namespace tessera::cuda
