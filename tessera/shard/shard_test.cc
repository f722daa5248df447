#include "tessera/shard/shard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tessera/base/sha256.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/graph/onnx.h"
#include "tessera/shard/testing/graph_builder.h"
#include "tessera/shard/trace.h"

namespace tessera::shard {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using testing::GraphBuilder;

// Shapes are given by hand in these models.
class KnownShapes final : public graph::ShapeOracle {
 public:
  Result<void> Infer(graph::Graph&) override { return {}; }
};

class ShardModelTest : public ::testing::Test {
 protected:
  ShardModelTest() {
    GraphBuilder b;
    const auto h = b.Op("MatMul", {b.Input("x", {3, 64}), b.Weight("a", {64, 256})}, {3, 256});
    const auto g = b.Op("Relu", {h}, {3, 256});
    b.Output(b.Op("MatMul", {g, b.Weight("b", {256, 64})}, {3, 64}));
    file_ = in_.path() / "mlp.onnx";
    const auto written = graph::WriteOnnx(b.graph(), file_);
    if (!written) throw std::runtime_error(written.error().message);
    options_.strategy = "tensor";
  }

  Result<Outcome> Shard(
      const fs::path& file, const Progress& progress = [](auto, double) {}) {
    return ShardModel(file, options_, oracle_, out_.path(), progress);
  }

  tessera::testing::TemporaryDirectory in_;
  tessera::testing::TemporaryDirectory out_;
  fs::path file_;
  KnownShapes oracle_;
  Options options_;
};

TEST_F(ShardModelTest, WritesAPlanWhoseFilesAreThere) {
  const auto outcome = Shard(file_);
  ASSERT_TRUE(outcome) << outcome.error().message;
  const auto plan = plan::ReadPlan(out_.path());
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(*plan, outcome->plan);
  EXPECT_EQ(plan->model_name, "mlp");
  EXPECT_EQ(plan->world_size(), 2);
  EXPECT_EQ(plan->collectives.size(), 1U);
  EXPECT_TRUE(plan::VerifyArtifacts(*plan, out_.path()));
}

TEST_F(ShardModelTest, EachRankHoldsHalfOfTheWeights) {
  const auto outcome = Shard(file_);
  ASSERT_TRUE(outcome);
  EXPECT_EQ(outcome->weight_bytes.value(), 2 * 64 * 256 * sizeof(float));
  for (const auto& rank : outcome->plan.ranks)
    EXPECT_EQ(rank.weight_bytes.value(), outcome->weight_bytes.value() / 2);
}

TEST_F(ShardModelTest, LeavesTheModelAsItIs) {
  const auto before = Sha256OfFile(file_);
  ASSERT_TRUE(Shard(file_));
  EXPECT_EQ(*before, *Sha256OfFile(file_));
}

TEST_F(ShardModelTest, TellsItsProgressUpToTheEnd) {
  std::vector<double> seen;
  ASSERT_TRUE(Shard(file_, [&](auto, double fraction) { seen.push_back(fraction); }));
  EXPECT_TRUE(std::is_sorted(seen.begin(), seen.end()));
  EXPECT_EQ(seen.back(), 1.0);
}

TEST_F(ShardModelTest, WritesATraceOnDemandOnly) {
  ASSERT_TRUE(Shard(file_));
  EXPECT_FALSE(fs::exists(out_.path() / kTraceFile));
  options_.trace = true;
  ASSERT_TRUE(Shard(file_));
  const auto trace = ReadTrace(out_.path());
  ASSERT_TRUE(trace) << trace.error().message;
  std::vector<std::string> states;
  for (const TracedValue& value : *trace) states.push_back(value.state.ToString());
  EXPECT_THAT(states, ElementsAre("S(1)", "S(1)", "P(sum)", "R"));
}

TEST_F(ShardModelTest, RefusesAFileThatIsNotThere) {
  const auto outcome = Shard(in_.path() / "none.onnx");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kNotFound);
}

TEST_F(ShardModelTest, RefusesWhatIsNotOnnx) {
  std::ofstream(in_.path() / "text.onnx") << "hello, this is no model";
  const auto outcome = Shard(in_.path() / "text.onnx");
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace tessera::shard
