// A piece of work recorded once from a stream and launched many times.
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/graph_copy.h"
#include "tessera/cuda/stream.h"

namespace tessera::cuda {

struct GraphExecTraits {
  using Handle = cudaGraphExec_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaGraphExecDestroy(handle); }
};

// Ready to launch on the device of the stream that it was captured from. A graph that holds NCCL collectives
// must be destroyed before their communicator is: ncclCommDestroy and ncclCommAbort wait for it. Not before
// its last launch has ended: what NCCL allotted for it goes with it.
class Graph {
 public:
  // What libraries bind to a captured graph's life, as NCCL does (cudaGraphRetainUserObject). CUDA has the
  // GPU interrupt the host at the end of each launch of a graph that holds such an object: 20 us for who
  // issues steps on that core. Kept apart, they hang on the captured graph alone, and what is launched is
  // made of a copy.
  enum class Objects { kInLaunches, kApart };

  // Captures what `record` issues to `stream` (nothing of it runs), instantiates and uploads it. Other
  // threads may use CUDA meanwhile. An error of `record`, or work that cannot be captured, leaves the stream
  // usable. Objects stay in launches where the graph cannot be copied, which the debug log tells.
  static Result<Graph> Capture(const Stream& stream, const std::function<Result<void>()>& record,
                               Objects objects = Objects::kInLaunches);

  // The same work made ready once more, recording `second` of an exchange where this graph records `first`:
  // so that the events of one launch outlive the next one. Launched on the same stream, or one after the
  // other. Errors: kInternal (an event is not recorded here).
  using Exchange = std::pair<const Event*, const Event*>;
  Result<Graph> With(const std::vector<Exchange>& events, const Stream& stream) const;

  Result<void> Launch(const Stream& stream) const;

  Graph(Graph&&) noexcept = default;
  Graph& operator=(Graph&& other) noexcept {
    exec_ = std::move(other.exec_);  // before what it was made of
    source_ = std::move(other.source_);
    return *this;
  }

 private:
  // What was captured, and what is made ready of it.
  struct Source {
    UniqueGraph captured;
    UniqueGraph copy;  // none: what was captured
    cudaGraph_t get() const noexcept { return copy ? copy.get() : captured.get(); }
  };
  explicit Graph(std::shared_ptr<const Source> source) : source_(std::move(source)) {}
  Result<void> Instantiate();
  Result<void> ExchangeEvents(const std::vector<Exchange>& events) const;
  Result<void> Upload(const Stream& stream) const;

  std::shared_ptr<const Source> source_;
  UniqueHandle<GraphExecTraits> exec_;
};

}  // namespace tessera::cuda
