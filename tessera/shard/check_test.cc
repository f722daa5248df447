#include "tessera/shard/check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/shard/check_flat.h"
#include "tessera/shard/compile.h"
#include "tessera/shard/testing/graph_builder.h"

namespace tessera::shard {
namespace {

using testing::GraphBuilder;
using ::testing::HasSubstr;

// Two layers with a residual: one weight cut by columns, one by rows, one all-reduce.
class CheckRankModelTest : public ::testing::Test {
 protected:
  CheckRankModelTest() {
    GraphBuilder b;
    const auto x = b.Input("x", {3, 64});
    const auto h = b.Op("MatMul", {x, b.Weight("a", {64, 256})}, {3, 256});
    const auto g = b.Op("Relu", {h}, {3, 256});
    const auto y = b.Op("MatMul", {g, b.Weight("b", {256, 64})}, {3, 64});
    b.Output(b.Op("Add", {y, x}, {3, 64}));
    graph_ = b.graph();
    Options options;
    options.strategy = "tensor";
    auto compiled = Compile(graph_, options);
    if (!compiled) throw std::runtime_error(compiled.error().message);
    ranks_ = std::move(compiled->model);
  }

  graph::Node& NodeOf(const std::string& op) {
    for (const auto& node : ranks_.graph.nodes()) {
      if (node.op_type == op) return ranks_.graph.node(ranks_.graph.value(node.outputs[0]).producer);
    }
    throw std::runtime_error("no " + op);
  }
  void ExpectWrong(const std::string& part) {
    const auto checked = CheckRankModel(graph_, ranks_);
    ASSERT_FALSE(checked) << "this passed";
    EXPECT_EQ(checked.error().code, Code::kInternal);
    EXPECT_THAT(checked.error().message, HasSubstr(part));
  }

  graph::Graph graph_;
  RankModel ranks_;
};

TEST_F(CheckRankModelTest, PassesWhatTheCompilerWrites) {
  EXPECT_TRUE(CheckRankModel(graph_, ranks_));
}

TEST_F(CheckRankModelTest, RejectsAPartialSumInANonLinearOp) {
  auto& collective = NodeOf("DistCollective");
  NodeOf("Add").inputs[0] = collective.inputs[0];
  ExpectWrong("is not linear in the inputs that are partial");
}

TEST_F(CheckRankModelTest, RejectsAnotherNumberOfRanks) {
  NodeOf("DistCollective").Set("nb_rank", int64_t{4});
  ExpectWrong("its nb_rank is not the number of ranks");
}

TEST_F(CheckRankModelTest, RejectsAMissingAttribute) {
  auto& attributes = NodeOf("DistCollective").attributes;
  std::erase_if(attributes, [](const auto& a) { return a.name == "groups"; });
  ExpectWrong("lacks an attribute");
}

TEST_F(CheckRankModelTest, RejectsAnotherReduction) {
  NodeOf("DistCollective").Set("reduce_op", "max");
  ranks_.collectives[0].reduce = ReduceOp::kMax;
  ExpectWrong("reduces what is not partial in this way");
}

TEST_F(CheckRankModelTest, RejectsACollectiveThatIsNotPlanned) {
  ranks_.collectives.clear();
  ExpectWrong("is not in the plan");
}

TEST_F(CheckRankModelTest, RejectsAnotherOp) {
  NodeOf("Relu").op_type = "Tanh";
  ExpectWrong("stands where the model has another op");
}

TEST_F(CheckRankModelTest, RejectsAnotherState) {
  for (auto& [id, origin] : ranks_.origin) {
    if (ranks_.graph.value(id).name == "Relu_1.split") origin.second = State::Replicated();
  }
  ExpectWrong("Relu");
}

TEST_F(CheckRankModelTest, RejectsALocalShapeThatIsNotTheStates) {
  ranks_.graph.value(NodeOf("Relu").outputs[0]).shape = {3, 256};
  ExpectWrong("a rank holds [3,128] of [3,256] in S(1)");
}

TEST_F(CheckRankModelTest, RejectsAnOutputThatThePlanHasInAnotherState) {
  ranks_.outputs[0] = State::Split(1);
  ExpectWrong("is left in R, the plan says S(1)");
}

TEST_F(CheckRankModelTest, RejectsSwappedInputs) {
  std::swap(NodeOf("Add").inputs[0], NodeOf("Add").inputs[1]);
  ExpectWrong("takes another value than in the model");
}

graph::Value Of(const Shape& shape, const std::vector<int32_t>& symbols = {}) {
  graph::Value value;
  value.has_shape = true;
  value.shape = shape;
  value.symbols = symbols;
  return value;
}

TEST(SameElements, OfHeadsMerged) {
  EXPECT_TRUE(SameElements(Of({2, 5, 4, 3}), State::Split(2), Of({2, 5, 12}), State::Split(2), 2));
  EXPECT_FALSE(SameElements(Of({2, 5, 4, 3}), State::Split(2), Of({2, 5, 12}), State::Split(1), 5));
}

TEST(SameElements, OfAMinorFactorNeedASegmentedCut) {
  EXPECT_FALSE(SameElements(Of({3, 4}), State::Split(1), Of({12}), State::Split(0), 2));
  EXPECT_TRUE(SameElements(Of({3, 4}), State::Split(1), Of({12}), State::Split(0, Cut::Of({{4, 3}}, 12)), 2));
}

TEST(SameElements, OfUnequalSegments) {
  const State fused = State::Split(1, Cut::Of({{8, 1}, {4, 2}}, 16));
  EXPECT_TRUE(SameElements(Of({2, 16}), fused, Of({1, 2, 16}), State::Split(2, fused.cut), 2));
  EXPECT_FALSE(SameElements(Of({2, 16}), fused, Of({1, 2, 16}), State::Split(2), 2));
}

TEST(SameElements, BehindADynamicBatch) {
  EXPECT_TRUE(SameElements(Of({-1, 7, 12}, {0, -1, -1}), State::Split(2), Of({-1, 7, 4, 3}, {5, -1, -1, -1}),
                           State::Split(2), 2));
}

TEST(SameElements, OfSizesThatAreNotKnownCannotBeTold) {
  EXPECT_FALSE(SameElements(Of({-1, -1}), State::Split(1), Of({-1, 4}), State::Split(0), 2));
}

}  // namespace
}  // namespace tessera::shard
