#include "tessera/shard/engine_dialect.h"

namespace tessera::shard {
namespace {

// TensorRT has fused kernels for Attention in half precision only. Where it has none, it refuses the model
// unless the node allows it to use several kernels. Source: onnx-tensorrt, importer of Attention.
void AllowAttentionInSeveralKernels(graph::Graph& graph) {
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    graph::Node& node = graph.node(graph::NodeId(static_cast<int32_t>(i)));
    if (node.op_type == "Attention" && node.domain.empty()) node.Set("TRT_decomposable", int64_t{1});
  }
}

}  // namespace

void SpeakDialect(std::string_view engine, graph::Graph& graph) {
  if (engine == "tensorrt") AllowAttentionInSeveralKernels(graph);
}

}  // namespace tessera::shard
