#include "tessera/cuda/graph.h"

#include <algorithm>
#include <vector>

#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

Result<std::vector<cudaGraphNode_t>> NodesOf(cudaGraph_t graph) {
  size_t count = 0;
  CUDA_TRY(cudaGraphGetNodes(graph, nullptr, &count));
  std::vector<cudaGraphNode_t> nodes(count);
  CUDA_TRY(cudaGraphGetNodes(graph, nodes.data(), &count));
  return nodes;
}

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
  LogNodes(graph.get());
  cudaGraphExec_t exec = nullptr;
  CUDA_TRY(cudaGraphInstantiate(&exec, graph.get(), 0));
  Graph made(graph.Release(), exec);
  CUDA_TRY(cudaGraphUpload(exec, stream.get()));
  return made;
}

Result<Graph> Graph::With(const std::vector<Exchange>& events, const Stream& stream) const {
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(stream.device()));
  cudaGraphExec_t exec = nullptr;
  CUDA_TRY(cudaGraphInstantiate(&exec, graph_.get(), 0));
  Graph made(nullptr, exec);
  size_t exchanged = 0;
  TRY_ASSIGN(const std::vector<cudaGraphNode_t> nodes, NodesOf(graph_.get()));
  for (const cudaGraphNode_t node : nodes) {
    cudaGraphNodeType type{};
    CUDA_TRY(cudaGraphNodeGetType(node, &type));
    if (type != cudaGraphNodeTypeEventRecord) continue;
    cudaEvent_t event = nullptr;
    CUDA_TRY(cudaGraphEventRecordNodeGetEvent(node, &event));
    for (const auto& [from, to] : events) {
      if (from->get() != event) continue;
      CUDA_TRY(cudaGraphExecEventRecordNodeSetEvent(exec, node, to->get()));
      ++exchanged;
    }
  }
  if (exchanged != events.size()) {
    return Fail(Code::kInternal, "a CUDA graph records {} of the {} events that are to be exchanged",
                exchanged, events.size());
  }
  CUDA_TRY(cudaGraphUpload(exec, stream.get()));
  return made;
}

Result<void> Graph::Launch(const Stream& stream) const {
  CUDA_TRY(cudaGraphLaunch(exec_.get(), stream.get()));
  return {};
}

}  // namespace tessera::cuda
