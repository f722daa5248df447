#include "tessera/shard/engine_dialect.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

graph::Graph WithAttention() {
  testing::GraphBuilder b(23);
  const Shape shape{1, 2, 4, 8};
  b.Output(b.Op("Attention", {b.Input("q", shape), b.Input("k", shape), b.Input("v", shape)}, shape));
  return std::move(b.graph());
}

TEST(SpeakDialect, TensorRtMayDecomposeAttention) {
  graph::Graph graph = WithAttention();
  SpeakDialect("tensorrt", graph);
  EXPECT_EQ(graph.nodes().back().Int("TRT_decomposable", 0), 1);
}

TEST(SpeakDialect, OpenVinoGetsPlainOnnx) {
  graph::Graph graph = WithAttention();
  SpeakDialect("openvino", graph);
  EXPECT_EQ(graph.nodes().back().Find("TRT_decomposable"), nullptr);
}

TEST(SpeakDialect, AnAttentionOfAnotherDomainIsLeftAlone) {
  graph::Graph graph = WithAttention();
  graph.node(graph::NodeId(0)).domain = "com.microsoft";
  SpeakDialect("tensorrt", graph);
  EXPECT_EQ(graph.nodes().back().Find("TRT_decomposable"), nullptr);
}

}  // namespace
}  // namespace tessera::shard
