#include "tessera/shard/collective_names.h"

#include <gtest/gtest.h>

#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

// A MatMul of some name, and the all-reduce "y" behind it.
RankModel Reduced(const std::string& matmul) {
  testing::GraphBuilder b;
  const graph::ValueId product = b.Op("MatMul", {b.Input("x", {2, 2}), b.Input("w", {2, 2})}, {2, 2});
  b.Op("DistCollective", {product}, {2, 2}, {{"collective_operation", std::string("all_reduce")}});
  b.graph().node(graph::NodeId(0)).name = matmul;
  b.graph().node(graph::NodeId(1)).name = "y";
  RankModel model;
  model.graph = std::move(b.graph());
  model.collectives.resize(1);
  model.collectives[0].name = "y";
  return model;
}

TEST(MakeCollectiveNamesUnique, AnotherNodesNameIsNotTaken) {
  RankModel model = Reduced("y");
  MakeCollectiveNamesUnique(model);
  EXPECT_EQ(model.graph.nodes()[0].name, "y");
  EXPECT_EQ(model.graph.nodes()[1].name, "y/all_reduce");
  EXPECT_EQ(model.collectives[0].name, "y/all_reduce");
}

TEST(MakeCollectiveNamesUnique, ANameOfItsOwnStays) {
  RankModel model = Reduced("product");
  MakeCollectiveNamesUnique(model);
  EXPECT_EQ(model.graph.nodes()[1].name, "y");
  EXPECT_EQ(model.collectives[0].name, "y");
}

}  // namespace
}  // namespace tessera::shard
