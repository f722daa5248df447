// What a captured graph is made of, and the same again without the objects that hang on it.
#pragma once

#include <cuda_runtime_api.h>

#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/unique_handle.h"

namespace tessera::cuda {

struct GraphTraits {
  using Handle = cudaGraph_t;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaGraphDestroy(handle); }
};
using UniqueGraph = UniqueHandle<GraphTraits>;

Result<std::vector<cudaGraphNode_t>> NodesOf(cudaGraph_t graph);

// The same nodes and edges, but none of the objects whose life is bound to `graph`
// (cudaGraphRetainUserObject): they stay with it, and it has to outlive what is made of the copy, and that
// its launches. Errors: kUnsupported (it holds a node of a kind that is not copied), those of CUDA.
Result<UniqueGraph> CopyWithoutObjects(cudaGraph_t graph);

}  // namespace tessera::cuda
