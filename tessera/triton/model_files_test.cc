#include "tessera/triton/model_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tessera/base/testing/temporary_directory.h"

namespace tessera::triton {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using Files = std::vector<std::string>;

// What the server fills in for a backend named tensorrt.
Settings AsTheServerSays() {
  Settings settings;
  settings.model_file = "model.plan";
  settings.first_instance = "m_0";
  return settings;
}

class ModelFiles : public ::testing::Test {
 protected:
  void Make(const Files& files) {
    for (const std::string& file : files) std::ofstream(directory_ / file) << "content";
  }
  std::string Engine(const Settings& settings) const { return EngineOfFiles(directory_, settings); }
  // GPU 1 is another kind of GPU than GPU 0.
  Result<Files> Choose(const Settings& settings, std::optional<DeviceId> gpu = std::nullopt) const {
    return FilesOfRanks(directory_, settings, gpu, [](DeviceId id) -> Result<std::string> {
      return std::string(id.value() == 1 ? "8.0" : "9.0");
    });
  }

  const tessera::testing::TemporaryDirectory temporary_;
  const fs::path directory_ = temporary_.path();
};

Settings OnTwoGpus(Settings settings = AsTheServerSays()) {
  settings.multi_device = true;
  settings.gpus = {DeviceId(0), DeviceId(1)};
  return settings;
}

TEST_F(ModelFiles, OfALoneModelAreTheOneThatIsThere) {
  Make({"model.onnx"});
  EXPECT_EQ(Engine(AsTheServerSays()), "openvino");
  EXPECT_THAT(Choose(AsTheServerSays()).value(), ElementsAre("model.onnx"));
  Make({"model.plan"});
  EXPECT_EQ(Engine(AsTheServerSays()), "tensorrt");
  EXPECT_THAT(Choose(AsTheServerSays()).value(), ElementsAre("model.plan"));
}

TEST_F(ModelFiles, AreTheUsersWhereHeNamesOne) {
  Make({"model.onnx", "model.plan", "other.onnx", "other.plan"});
  Settings settings = AsTheServerSays();
  settings.model_file = "other.onnx";
  EXPECT_EQ(Engine(settings), "openvino");
  EXPECT_THAT(Choose(settings).value(), ElementsAre("other.onnx"));
  settings.model_file = "other.plan";
  EXPECT_EQ(Engine(settings), "tensorrt");
  EXPECT_THAT(Choose(settings).value(), ElementsAre("other.plan"));
}

TEST_F(ModelFiles, OfRanksAreOneEach) {
  Make({"model.plan.rank0", "model.plan.rank1"});
  for (const char* said : {"model.plan", ""}) {
    Settings settings = OnTwoGpus();
    settings.model_file = said;
    EXPECT_EQ(Engine(settings), "tensorrt");
    EXPECT_THAT(Choose(settings).value(), ElementsAre("model.plan.rank0", "model.plan.rank1"));
  }
}

TEST_F(ModelFiles, OfRanksAreOneForAllIfItIsThereOrSaid) {
  Make({"model.plan", "model.plan.rank0", "model.plan.rank1"});
  EXPECT_THAT(Choose(OnTwoGpus()).value(), ElementsAre("model.plan", "model.plan"));
  Settings each = OnTwoGpus();
  each.per_rank_engines = true;
  EXPECT_THAT(Choose(each).value(), ElementsAre("model.plan.rank0", "model.plan.rank1"));
}

TEST_F(ModelFiles, OfRanksHaveTheUsersNameWhereHeGivesOne) {
  Make({"big.plan.rank0", "big.plan.rank1"});
  Settings settings = OnTwoGpus();
  settings.model_file = "big.plan";
  EXPECT_THAT(Choose(settings).value(), ElementsAre("big.plan.rank0", "big.plan.rank1"));
}

TEST_F(ModelFiles, GoByEachGpusComputeCapability) {
  Make({"model.plan", "hopper.plan", "hopper.plan.rank0", "model.plan.rank1"});
  Settings settings = AsTheServerSays();
  settings.cc_model_files = {{"9.0", "hopper.plan"}};
  EXPECT_EQ(Engine(settings), "tensorrt");
  EXPECT_THAT(Choose(settings).value(), ElementsAre("hopper.plan"));
  EXPECT_THAT(Choose(settings, DeviceId(1)).value(), ElementsAre("model.plan"));
  EXPECT_THAT(Choose(OnTwoGpus(settings)).value(), ElementsAre("hopper.plan", "model.plan"));
  settings.per_rank_engines = true;
  EXPECT_THAT(Choose(OnTwoGpus(settings)).value(), ElementsAre("hopper.plan.rank0", "model.plan.rank1"));
}

TEST_F(ModelFiles, ThatAreMissingAreNamed) {
  EXPECT_THAT(Choose(AsTheServerSays()).error().message,
              HasSubstr("/model.onnx' for model instance 'm_0': nor a plan.json"));
  Make({"model.plan.rank0"});
  EXPECT_EQ(Choose(OnTwoGpus()).error().code, Code::kUnavailable);
  EXPECT_THAT(Choose(OnTwoGpus()).error().message,
              HasSubstr("/model.plan.rank1' for model instance 'm_0': the engine of rank 1 of 2"));
  Settings settings = AsTheServerSays();
  settings.cc_model_files = {{"9.0", "hopper.plan"}};
  EXPECT_FALSE(Choose(settings));
}

TEST_F(ModelFiles, OfAPlanAreNamedByThePlanAlone) {
  EXPECT_TRUE(CheckPlanNamesFiles(Settings()));
  Settings settings = AsTheServerSays();
  EXPECT_TRUE(CheckPlanNamesFiles(settings));
  settings.model_file = "plan.json";
  EXPECT_TRUE(CheckPlanNamesFiles(settings));
  settings.model_file = "other.plan";
  EXPECT_EQ(CheckPlanNamesFiles(settings).error().message,
            "default_model_filename is 'other.plan', but there is a plan.json, which names its files itself");
  settings.model_file = "model.plan";
  settings.cc_model_files = {{"9.0", "hopper.plan"}};
  EXPECT_THAT(CheckPlanNamesFiles(settings).error().message, HasSubstr("cc_model_filenames"));
}

TEST_F(ModelFiles, MustGoWithTheParameters) {
  Make({"model.plan.rank0", "model.plan.rank1", "model.plan.rank2"});
  EXPECT_THAT(Choose(OnTwoGpus()).error().message,
              HasSubstr("lists 2 GPUs, but there is a 'model.plan.rank2'"));
  EXPECT_THAT(Choose(AsTheServerSays()).error().message,
              HasSubstr("there is a model.plan.rank0: wanted parameter enable_multi_device"));
  Settings settings = AsTheServerSays();
  settings.gpus = {DeviceId(0), DeviceId(1)};
  Make({"model.plan"});
  EXPECT_THAT(Choose(settings).error().message, HasSubstr("wanted parameter enable_multi_device to be true"));
}

}  // namespace
}  // namespace tessera::triton
