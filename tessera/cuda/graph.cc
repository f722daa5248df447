#include "tessera/cuda/graph.h"

#include <algorithm>
#include <vector>

#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

// A launch costs by the node, and more for a host function or a branch than for a kernel.
void LogNodes(cudaGraph_t graph) {
  if (!LogEnabled(LogLevel::kDebug)) return;
  const Result<std::vector<cudaGraphNode_t>> nodes = NodesOf(graph);
  if (!nodes) return;
  const size_t count = nodes->size();
  std::vector<cudaGraphNodeType> types(count);
  for (size_t n = 0; n < count; ++n) {
    if (cudaGraphNodeGetType((*nodes)[n], &types[n]) != cudaSuccess) return;
  }
  auto of = [&](cudaGraphNodeType type) { return std::count(types.begin(), types.end(), type); };
  TESSERA_LOG(kDebug,
              "a CUDA graph of {} nodes: {} kernels, {} copies, {} fills, {} host functions, {} events, {} "
              "empty",
              count, of(cudaGraphNodeTypeKernel), of(cudaGraphNodeTypeMemcpy), of(cudaGraphNodeTypeMemset),
              of(cudaGraphNodeTypeHost), of(cudaGraphNodeTypeEventRecord) + of(cudaGraphNodeTypeWaitEvent),
              of(cudaGraphNodeTypeEmpty));
}

}  // namespace

Result<Graph> Graph::Capture(const Stream& stream, const std::function<Result<void>()>& record,
                             Objects objects) {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  CUDA_TRY(cudaStreamBeginCapture(stream.get(), cudaStreamCaptureModeThreadLocal));
  Result<void> recorded = record();
  cudaGraph_t raw = nullptr;
  const cudaError_t ended =
      cudaStreamEndCapture(stream.get(), &raw);  // in any case: leaves the stream usable
  auto source = std::make_shared<Source>();
  source->captured.Reset(raw);
  TRY(std::move(recorded));
  CUDA_TRY(ended);
  LogNodes(raw);
  if (objects == Objects::kApart) {
    if (Result<UniqueGraph> copy = CopyWithoutObjects(raw)) {
      source->copy = *std::move(copy);
    } else {
      TESSERA_LOG(kDebug, "launches of a CUDA graph interrupt the host: {}", copy.error().message);
    }
  }
  Graph made(std::move(source));
  TRY(made.Instantiate());
  TRY(made.Upload(stream));
  return made;
}

Result<Graph> Graph::With(const std::vector<Exchange>& events, const Stream& stream) const {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  Graph made(source_);
  TRY(made.Instantiate());
  TRY(made.ExchangeEvents(events));
  TRY(made.Upload(stream));
  return made;
}

Result<void> Graph::Instantiate() {
  cudaGraphExec_t exec = nullptr;
  CUDA_TRY(cudaGraphInstantiate(&exec, source_->get(), 0));
  exec_.Reset(exec);
  return {};
}

Result<void> Graph::ExchangeEvents(const std::vector<Exchange>& events) const {
  size_t exchanged = 0;
  TRY_ASSIGN(const std::vector<cudaGraphNode_t> nodes, NodesOf(source_->get()));
  for (const cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type{};
    CUDA_TRY(cudaGraphNodeGetType(node, &type));
    if (type != cudaGraphNodeTypeEventRecord) continue;
    cudaEvent_t event = nullptr;
    CUDA_TRY(cudaGraphEventRecordNodeGetEvent(node, &event));
    for (const auto& [from, to] : events) {
      if (from->get() != event) continue;
      CUDA_TRY(cudaGraphExecEventRecordNodeSetEvent(exec_.get(), node, to->get()));
      ++exchanged;
    }
  }
  if (exchanged == events.size()) return {};
  return Fail(Code::kInternal, "a CUDA graph records {} of the {} events that are to be exchanged", exchanged,
              events.size());
}

Result<void> Graph::Upload(const Stream& stream) const {
  CUDA_TRY(cudaGraphUpload(exec_.get(), stream.get()));
  return {};
}

Result<void> Graph::Launch(const Stream& stream) const {
  CUDA_TRY(cudaGraphLaunch(exec_.get(), stream.get()));
  return {};
}

}  // namespace tessera::cuda
