#include "tessera/shard/batch.h"

#include <gtest/gtest.h>

#include <set>

#include "tessera/shard/check.h"
#include "tessera/shard/compile.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using graph::ValueId;
using testing::GraphBuilder;

// relu(x a) b: one all-reduce under tensor parallelism.
ValueId Layer(GraphBuilder& b, ValueId x, int64_t rows, int64_t size) {
  const int number = static_cast<int>(b.graph().nodes().size());
  const Shape inner{rows, 4 * size};
  const auto up = b.Weight("a" + std::to_string(number), {size, 4 * size});
  const auto down = b.Weight("b" + std::to_string(number), {4 * size, size});
  const auto h = b.Op("Relu", {b.Op("MatMul", {x, up}, inner)}, inner);
  // What is not linear keeps the sum from being put off.
  return b.Op("Tanh", {b.Op("MatMul", {h, down}, {rows, size})}, {rows, size});
}

Compiled Tensor(const graph::Graph& graph) {
  Options options;
  options.strategy = "tensor";
  auto compiled = Compile(graph, options);
  if (!compiled) throw std::runtime_error(compiled.error().message);
  return *std::move(compiled);
}

TEST(BatchAllReduces, SumsOfParallelLayersGoTogether) {
  GraphBuilder b;
  const auto x = b.Input("x", {4, 64});
  b.Output(b.Op("Mul", {Layer(b, x, 4, 64), Layer(b, x, 4, 64)}, {4, 64}));
  const Compiled compiled = Tensor(b.graph());
  ASSERT_EQ(compiled.model.collectives.size(), 1U);
  EXPECT_EQ(compiled.model.collectives[0].shape, (Shape{8, 64}));
  EXPECT_EQ(compiled.model.collectives[0].bytes.value(), 2U * 4 * 64 * 4);
}

TEST(BatchAllReduces, SumsThatWaitForEachOtherDoNot) {
  GraphBuilder b;
  const auto x = b.Input("x", {4, 64});
  b.Output(Layer(b, Layer(b, x, 4, 64), 4, 64));
  EXPECT_EQ(Tensor(b.graph()).model.collectives.size(), 2U);
}

TEST(BatchAllReduces, LargeSumsAreNotCopiedForIt) {
  GraphBuilder b;
  const auto x = b.Input("x", {4096, 256});
  b.Output(b.Op("Mul", {Layer(b, x, 4096, 256), Layer(b, x, 4096, 256)}, {4096, 256}));
  EXPECT_EQ(Tensor(b.graph()).model.collectives.size(), 2U);
}

TEST(BatchAllReduces, LayersOfSeveralChainsGoTogetherLevelByLevel) {
  GraphBuilder b;
  const auto x = b.Input("x", {4, 64});
  ValueId one = x;
  ValueId other = x;
  for (int i = 0; i < 3; ++i) one = Layer(b, one, 4, 64);
  for (int i = 0; i < 3; ++i) other = Layer(b, other, 4, 64);
  b.Output(b.Op("Mul", {one, other}, {4, 64}));
  const Compiled compiled = Tensor(b.graph());
  EXPECT_EQ(compiled.model.collectives.size(), 3U);
  std::set<std::string> names;
  for (const auto& collective : compiled.model.collectives) names.insert(collective.name);
  EXPECT_EQ(names.size(), 3U);
}

TEST(BatchAllReduces, OldModelsListTheSizesInAnAttribute) {
  GraphBuilder b(11);
  const auto x = b.Input("x", {4, 64});
  b.Output(b.Op("Mul", {Layer(b, x, 4, 64), Layer(b, x, 4, 64)}, {4, 64}));
  EXPECT_EQ(Tensor(b.graph()).model.collectives.size(), 1U);
}

class BatchOfTwo : public ::testing::Test {
 protected:
  BatchOfTwo() {
    GraphBuilder b;
    const auto x = b.Input("x", {4, 64});
    b.Output(b.Op("Div", {Layer(b, x, 4, 64), Layer(b, x, 4, 64)}, {4, 64}));
    graph_ = b.graph();
    ranks_ = Tensor(graph_).model;
  }
  graph::Node& NodeOf(const std::string& op) {
    for (const auto& node : ranks_.graph.nodes()) {
      if (node.op_type == op) return ranks_.graph.node(ranks_.graph.value(node.outputs[0]).producer);
    }
    throw std::runtime_error("no " + op);
  }
  std::string Wrong() const {
    const auto checked = CheckRankModel(graph_, ranks_);
    return checked ? "" : checked.error().message;
  }

  graph::Graph graph_;
  RankModel ranks_;
};

TEST_F(BatchOfTwo, PassesTheChecker) {
  EXPECT_EQ(Wrong(), "");
}

TEST_F(BatchOfTwo, TheCheckerRejectsAnotherOrderOfTheValues) {
  auto& inputs = NodeOf("Concat").inputs;
  std::swap(inputs[0], inputs[1]);
  EXPECT_NE(Wrong().find("in another order"), std::string::npos) << Wrong();
}

TEST_F(BatchOfTwo, TheCheckerRejectsARowThatIsNotSummed) {
  NodeOf("Split").inputs[0] = NodeOf("DistCollective").inputs[0];
  EXPECT_NE(Wrong().find("is not summed"), std::string::npos) << Wrong();
}

TEST_F(BatchOfTwo, TheCheckerRejectsASingleValueOfARowElsewhere) {
  NodeOf("Tanh").inputs[0] = NodeOf("DistCollective").outputs[0];
  EXPECT_NE(Wrong().find("in the middle of a conversion"), std::string::npos) << Wrong();
}

}  // namespace
}  // namespace tessera::shard
