// A piece of work recorded once from a stream and launched many times.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <utility>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {

struct GraphTraits {
  using Handle = cudaGraph_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaGraphDestroy(handle); }
};
struct GraphExecTraits {
  using Handle = cudaGraphExec_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaGraphExecDestroy(handle); }
};

// Ready to launch on the device of the stream that it was captured from. A graph that holds NCCL collectives
// must be destroyed before their communicator is: ncclCommDestroy and ncclCommAbort wait for it.
class Graph {
 public:
  // Captures what `record` issues to `stream` (nothing of it runs), instantiates and uploads it. Other
  // threads may use CUDA meanwhile. An error of `record`, or work that cannot be captured, leaves the stream
  // usable.
  static Result<Graph> Capture(const Stream& stream, const std::function<Result<void>()>& record);

  // The same work made ready once more, recording `second` of an exchange where this graph records `first`:
  // so that the events of one launch outlive the next one. Launched on the same stream, or one after the
  // other. Only of a graph that Capture made; it may go before. Errors: kInternal (an event is not recorded
  // here).
  using Exchange = std::pair<const Event*, const Event*>;
  Result<Graph> With(const std::vector<Exchange>& events, const Stream& stream) const;

  Result<void> Launch(const Stream& stream) const;

 private:
  Graph(cudaGraph_t graph, cudaGraphExec_t exec) : graph_(graph), exec_(exec) {}
  UniqueHandle<GraphTraits> graph_;
  UniqueHandle<GraphExecTraits> exec_;
};

}  // namespace tessera::cuda
