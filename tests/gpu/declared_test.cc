// Without a GPU: what the adapter makes of what an engine declares.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tessera/base/file.h"
#include "tessera/engine/tensorrt/checks.h"
#include "tessera/engine/tensorrt/logger.h"
#include "tessera/engine/tensorrt/profile.h"
#include "tessera/graph/onnx.h"
#include "tests/gpu/models.h"
#include "tests/nvinfer_standin/api_engine.h"

namespace tessera::gputest {
namespace {

using engine::EngineTensors;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

class DeclaredBy : public ::testing::Test {
 protected:
  // Null: the test has failed.
  std::unique_ptr<nvinfer1::ICudaEngine> EngineOf(const Mlp& mlp, int ranks = 1) {
    TempDirectory directory;
    const auto plan = WriteMlp(mlp, ranks, directory.path());
    EXPECT_TRUE(plan);
    const auto text = ReadFile(directory.path() / "model.plan.rank0");
    EXPECT_TRUE(text);
    auto model = standin::Model::Describe(text.value_or(""));
    EXPECT_TRUE(model) << model.error().ToString();
    return model ? std::make_unique<standin::StandinEngine>(*std::move(model),
                                                            engine::TensorRtLogger::OfProcess())
                 : nullptr;
  }

  // Why a model whose tensor `name` is declared like that is not served; "" = it is.
  std::string Refusal(const char* name, const char* what) {
    Mlp mlp;
    if (*what != 0) mlp.declared = {{name, what}};
    const auto engine = EngineOf(mlp);
    const Result<EngineTensors> tensors = engine::ReadTensors(*engine);
    const Result<void> taken =
        tensors ? engine::CheckTensors(*tensors, plan::Plan()) : tl::unexpected<Error>(tensors.error());
    if (taken) return "";
    EXPECT_EQ(taken.error().code, Code::kUnsupported);
    return taken.error().message;
  }
};

TEST_F(DeclaredBy, AnOrdinaryEngineIsServed) {
  EXPECT_EQ(Refusal("x", ""), "");
}

TEST_F(DeclaredBy, TypesThatTritonHasNotAreRefused) {
  EXPECT_THAT(Refusal("x", "fp8"), HasSubstr("tensor 'x': TensorRT's data type"));
  EXPECT_THAT(Refusal("y", "int4"), HasSubstr("tensor 'y': TensorRT's data type"));
}

TEST_F(DeclaredBy, MemoryFormatsThatAreNotLinearAreRefused) {
  for (const char* name : {"x", "y"}) {
    EXPECT_EQ(Refusal(name, "chw4"),
              fmt::format("tensor '{}' has the memory format channels in fours, only a linear one is served",
                          name));
  }
}

TEST_F(DeclaredBy, OutputsInTheMemoryOfAnInputAreRefused) {
  EXPECT_THAT(Refusal("y", "alias"), HasSubstr("output 'y' must be the memory of input 'x'"));
}

// TensorRT's default: the kinds of layers are not told, which is not to have no collective.
TEST_F(DeclaredBy, LayersWithoutTheirKindsTellNothingOfCollectives) {
  EXPECT_EQ(engine::CollectiveLayersOf(*EngineOf(Mlp())), 0);
  EXPECT_EQ(engine::CollectiveLayersOf(*EngineOf(Mlp(), 2)), 1);
  Mlp kindless;
  kindless.declared = {{"layers", "kindless"}};
  EXPECT_EQ(engine::CollectiveLayersOf(*EngineOf(kindless, 2)), std::nullopt);
}

TEST_F(DeclaredBy, ShapeTensorsAreOutputsOfNoModelAndNumbersAsInputs) {
  EXPECT_EQ(Refusal("y", "host"), "output 'y' is a shape tensor, which is served as an input only");
  EXPECT_THAT(Refusal("x", "host"), HasSubstr("shape tensor 'x' is FP16 [-1,256], wanted INT32 or INT64"));
}

TEST_F(DeclaredBy, ProfilesAreListedOnceAndMustBeThere) {
  Mlp mlp;
  mlp.second_most_m = 256;
  const auto engine = EngineOf(mlp);
  EXPECT_THAT(*engine::ListedProfiles(*engine, {}), ElementsAre(0, 1));
  EXPECT_THAT(*engine::ListedProfiles(*engine, {1, 0, 1}), ElementsAre(1, 0));
  for (const int none : {-1, 2}) {
    EXPECT_THAT(engine::ListedProfiles(*engine, {0, none}).error().message,
                HasSubstr(fmt::format("invalid profile {}. Number of profiles", none)));
  }
}

TEST_F(DeclaredBy, TheProfileWithMostRowsTellsTheLargestShapes) {
  Mlp mlp;
  mlp.second_most_m = 256;
  const auto engine = EngineOf(mlp);
  const Result<EngineTensors> tensors = engine::ReadTensors(*engine);
  ASSERT_TRUE(tensors);
  auto largest = [&](const std::vector<int32_t>& profiles) {
    return engine::LargestShapesOf(*engine, profiles, tensors->inputs);
  };
  EXPECT_THAT(largest({0}), ElementsAre(Shape{64, 256}));
  EXPECT_THAT(largest({0, 1}), ElementsAre(Shape{256, 256}));
  EXPECT_THAT(largest({1, 0}), ElementsAre(Shape{256, 256}));
}

// Rank 0 of an MLP over two ranks, and what is said of a second; "" = they agree.
class RanksAgree : public ::testing::Test {
 protected:
  static engine::Declared Rank0() { return DeclaredOf(Rank(0), "x", DType::kFloat16, {kDynamic, 256}); }
  static engine::Declared DeclaredOf(Rank rank, const char* input, DType type, const Shape& shape) {
    EngineTensors tensors;
    tensors.inputs = {{{input, type, shape}}};
    tensors.outputs = {{{"y", DType::kFloat16, {kDynamic, 256}}}};
    return {rank, tensors, 1, 1};
  }
  static std::string Refusal(engine::Declared second, const plan::Plan& plan = OfTwoRanks()) {
    second.rank = Rank(1);
    const Result<void> agree = engine::CheckRanksAgree({Rank0(), second}, plan);
    if (agree) return "";
    EXPECT_EQ(agree.error().code, Code::kInvalidArgument);
    return agree.error().message;
  }
  static plan::Plan OfTwoRanks() {
    plan::Plan plan;
    plan.ranks.resize(2);
    return plan;
  }
};

TEST_F(RanksAgree, OnInputsByNameTypeAndShape) {
  EXPECT_EQ(Refusal(Rank0()), "");
  EXPECT_THAT(Refusal(DeclaredOf(Rank(1), "z", DType::kFloat16, {kDynamic, 256})),
              HasSubstr("rank 1: input 0 is 'z' FP16 [-1,256], rank 0's is 'x' FP16 [-1,256]"));
  EXPECT_THAT(Refusal(DeclaredOf(Rank(1), "x", DType::kFloat32, {kDynamic, 256})), HasSubstr("'x' FP32"));
  EXPECT_THAT(Refusal(DeclaredOf(Rank(1), "x", DType::kFloat16, {kDynamic, 128})), HasSubstr("[-1,128]"));
}

TEST_F(RanksAgree, OnOutputsButForTheSizesOfWhatEachHas) {
  engine::Declared second = Rank0();
  second.tensors.outputs.front().spec.shape = {kDynamic, 128};
  EXPECT_EQ(Refusal(second), "") << "the answer is rank 0's";
  second.tensors.outputs.front().spec.name = "z";
  EXPECT_THAT(Refusal(second), HasSubstr("rank 1: output 0 is 'z'"));
  second.tensors.outputs.clear();
  EXPECT_EQ(Refusal(second), "rank 1: the engine has 0 outputs, rank 0's has 1");
}

TEST_F(RanksAgree, OnProfilesAndCollectives) {
  engine::Declared second = Rank0();
  second.profiles = 2;
  EXPECT_EQ(Refusal(second), "rank 1: the engine has 2 profiles, rank 0's has 1");
  second = Rank0();
  second.collectives = 2;
  EXPECT_EQ(Refusal(second), "rank 1: the engine has 2 collectives, rank 0's has 1");
  second.collectives = std::nullopt;
  EXPECT_EQ(Refusal(second), "") << "it does not tell";
  engine::Declared third = Rank0();
  third.rank = Rank(2);
  third.collectives = 2;
  std::vector<engine::Declared> engines = {second, Rank0(), third};
  engines[1].rank = Rank(1);
  EXPECT_EQ(engine::CheckRanksAgree(engines, OfTwoRanks()).error().message,
            "rank 2: the engine has 2 collectives, rank 1's has 1");
}

TEST(WantsCommunicator, AllButPlansWithoutCollectivesAndOneRank) {
  plan::Plan none;
  none.ranks.resize(2);
  EXPECT_TRUE(engine::WantsCommunicator(none)) << "engines of a directory without a plan tell for themselves";
  plan::Plan plan = none;
  plan.outputs.emplace_back();
  EXPECT_FALSE(engine::WantsCommunicator(plan));
  plan.collectives.resize(1);
  EXPECT_TRUE(engine::WantsCommunicator(plan));
  plan.ranks.resize(1);
  EXPECT_FALSE(engine::WantsCommunicator(plan));
}

TEST_F(RanksAgree, WithTheCollectivesThatThePlanLists) {
  plan::Plan plan = OfTwoRanks();
  plan.outputs.emplace_back();
  EXPECT_EQ(Refusal(Rank0(), plan), "rank 0: the engine has 1 collectives, the plan lists 0");
  plan.collectives.resize(1);
  EXPECT_EQ(Refusal(Rank0(), plan), "");
  plan.collectives.resize(2);
  EXPECT_EQ(Refusal(Rank0(), plan), "rank 0: the engine has 1 collectives, the plan lists 2");
}

// As TensorRT's do: the graph's large weights are bytes of the plan, whatever it is called; those that are
// the same stand there once.
TEST(StandinPlans, HoldTheirLargeWeights) {
  const TempDirectory directory;
  Mlp mlp;
  mlp.more_weights = 1;
  ASSERT_TRUE(WriteMlp(mlp, 1, directory.path()));
  const std::filesystem::path renamed = directory.path() / "model.plan";
  std::filesystem::rename(directory.path() / "model.plan.rank0", renamed);
  const auto content = MappedFile::Open(renamed);
  ASSERT_TRUE(content);
  const auto plan = standin::ParsePlan(
      {reinterpret_cast<const char*>((*content)->bytes().data()), (*content)->bytes().size()});
  ASSERT_TRUE(plan) << plan.error().ToString();
  const auto graph = graph::ReadOnnx(plan->onnx);
  ASSERT_TRUE(graph) << graph.error().ToString();
  int found = 0;
  for (const graph::Value& value : graph->values()) {
    if (!value.constant) continue;
    const auto weight = plan->weights.find(value.name);
    ASSERT_NE(weight, plan->weights.end()) << value.name;
    EXPECT_TRUE(std::ranges::equal((*content)->bytes().subspan(weight->second.offset, weight->second.bytes),
                                   value.constant->bytes))
        << value.name;
    ++found;
  }
  EXPECT_EQ(found, 4);
  EXPECT_EQ(plan->weights.at("w1").offset, plan->weights.at("w1.1").offset);
  EXPECT_NE(plan->weights.at("w1").offset, plan->weights.at("w2").offset);
}

}  // namespace
}  // namespace tessera::gputest
