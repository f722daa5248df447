#include "tessera/cuda/graph_copy.h"

#include <cuda.h>

#include <map>

#include "tessera/cuda/driver.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

Result<void> Check(CUresult status, const char* call) {
  if (status == CUDA_SUCCESS) return {};
  return Fail(Code::kInternal, "{}: CUDA driver error {}", call, static_cast<int>(status));
}

// The runtime knows the kernels that this library was linked with, the driver those of all libraries; and it
// alone tells in one way, in all versions, of edges that let a kernel begin before the one in front of it has
// ended.
struct Driver {
  CUresult (*get_kernel)(CUgraphNode, CUDA_KERNEL_NODE_PARAMS*);
  CUresult (*add_kernel)(CUgraphNode*, CUgraph, const CUgraphNode*, size_t, const CUDA_KERNEL_NODE_PARAMS*);
  CUresult (*get_edges)(CUgraph, CUgraphNode* from, CUgraphNode* to, CUgraphEdgeData*, size_t*);
  CUresult (*add_edges)(CUgraph, const CUgraphNode* from, const CUgraphNode* to, const CUgraphEdgeData*,
                        size_t);

  static Result<Driver> Find() {
    Driver driver{};
    TRY(Set(driver.get_kernel, "cuGraphKernelNodeGetParams", 12000));
    TRY(Set(driver.add_kernel, "cuGraphAddKernelNode", 12000));
    TRY(Set(driver.get_edges, "cuGraphGetEdges", 12030));
    TRY(Set(driver.add_edges, "cuGraphAddDependencies", 12030));
    return driver;
  }

 private:
  template <class Function>
  static Result<void> Set(Function& function, const char* name, unsigned version) {
    TRY_ASSIGN(function, DriverFunction<Function>(name, version));
    return {};
  }
};

class Copier {
 public:
  explicit Copier(const Driver& driver) : driver_(driver) {}

  Result<UniqueGraph> Copy(cudaGraph_t from) {
    cudaGraph_t to = nullptr;
    CUDA_TRY(cudaGraphCreate(&to, 0));
    UniqueGraph copy(to);
    TRY_ASSIGN(const std::vector<cudaGraphNode_t> nodes, NodesOf(from));
    for (const cudaGraphNode_t node : nodes) {
      TRY_ASSIGN(copies_[node], CopyNode(node, to));
    }
    TRY(CopyEdges(from, to));
    return copy;
  }

 private:
  // Without its edges.
  Result<cudaGraphNode_t> CopyNode(cudaGraphNode_t node, cudaGraph_t to) const {
    cudaGraphNodeType type{};
    CUDA_TRY(cudaGraphNodeGetType(node, &type));
    cudaGraphNode_t made = nullptr;
    switch (type) {
      case cudaGraphNodeTypeKernel:
        return CopyKernel(node, to);
      case cudaGraphNodeTypeMemcpy: {
        cudaMemcpy3DParms params{};
        CUDA_TRY(cudaGraphMemcpyNodeGetParams(node, &params));
        CUDA_TRY(cudaGraphAddMemcpyNode(&made, to, nullptr, 0, &params));
        return made;
      }
      case cudaGraphNodeTypeMemset: {
        cudaMemsetParams params{};
        CUDA_TRY(cudaGraphMemsetNodeGetParams(node, &params));
        CUDA_TRY(cudaGraphAddMemsetNode(&made, to, nullptr, 0, &params));
        return made;
      }
      case cudaGraphNodeTypeEventRecord:
      case cudaGraphNodeTypeWaitEvent:
        return CopyEvent(node, type, to);
      case cudaGraphNodeTypeEmpty:
        CUDA_TRY(cudaGraphAddEmptyNode(&made, to, nullptr, 0));
        return made;
      default:
        return Fail(Code::kUnsupported, "a CUDA graph's node of type {} is not copied",
                    static_cast<int>(type));
    }
  }

  Result<cudaGraphNode_t> CopyKernel(cudaGraphNode_t node, cudaGraph_t to) const {
    CUDA_KERNEL_NODE_PARAMS params{};
    TRY(Check(driver_.get_kernel(node, &params), "cuGraphKernelNodeGetParams"));
    cudaGraphNode_t made = nullptr;
    TRY(Check(driver_.add_kernel(&made, to, nullptr, 0, &params), "cuGraphAddKernelNode"));
    CUDA_TRY(
        cudaGraphKernelNodeCopyAttributes(made, node));  // to, from: CUDA 12's header calls them otherwise
    return made;
  }

  static Result<cudaGraphNode_t> CopyEvent(cudaGraphNode_t node, cudaGraphNodeType type, cudaGraph_t to) {
    cudaEvent_t event = nullptr;
    cudaGraphNode_t made = nullptr;
    if (type == cudaGraphNodeTypeEventRecord) {
      CUDA_TRY(cudaGraphEventRecordNodeGetEvent(node, &event));
      CUDA_TRY(cudaGraphAddEventRecordNode(&made, to, nullptr, 0, event));
    } else {
      CUDA_TRY(cudaGraphEventWaitNodeGetEvent(node, &event));
      CUDA_TRY(cudaGraphAddEventWaitNode(&made, to, nullptr, 0, event));
    }
    return made;
  }

  Result<void> CopyEdges(cudaGraph_t from, cudaGraph_t to) const {
    size_t count = 0;
    TRY(Check(driver_.get_edges(from, nullptr, nullptr, nullptr, &count), "cuGraphGetEdges"));
    if (count == 0) return {};
    std::vector<CUgraphNode> sources(count);
    std::vector<CUgraphNode> targets(count);
    std::vector<CUgraphEdgeData> data(count);
    TRY(Check(driver_.get_edges(from, sources.data(), targets.data(), data.data(), &count),
              "cuGraphGetEdges"));
    for (size_t e = 0; e < count; ++e) {
      sources[e] = copies_.at(sources[e]);
      targets[e] = copies_.at(targets[e]);
    }
    return Check(driver_.add_edges(to, sources.data(), targets.data(), data.data(), count),
                 "cuGraphAddDependencies");
  }

  const Driver driver_;
  std::map<cudaGraphNode_t, cudaGraphNode_t> copies_;
};

}  // namespace

Result<std::vector<cudaGraphNode_t>> NodesOf(cudaGraph_t graph) {
  size_t count = 0;
  CUDA_TRY(cudaGraphGetNodes(graph, nullptr, &count));
  std::vector<cudaGraphNode_t> nodes(count);
  CUDA_TRY(cudaGraphGetNodes(graph, nodes.data(), &count));
  return nodes;
}

Result<UniqueGraph> CopyWithoutObjects(cudaGraph_t graph) {
  static const Result<Driver> found = Driver::Find();
  TRY_ASSIGN(const Driver driver, found);
  return Copier(driver).Copy(graph);
}

}  // namespace tessera::cuda
