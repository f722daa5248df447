// What is checked when a model is loaded on GPUs: that its engines were built for them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/library.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// An MLP over the first GPUs, whose plan says how it was built: for here.
class ChecksAtLoad : public ::testing::Test {
 protected:
  void SetUp() override {
    const int ranks = Gpus().size() < 2 ? 1 : 2;
    if (Gpus().empty()) GTEST_SKIP() << "needs a GPU";
    auto plan = WriteMlp(Mlp{}, ranks, directory_.path());
    ASSERT_TRUE(plan) << plan.error().ToString();
    plan_ = *std::move(plan);
    const auto library = engine::TensorRtLibrary::Open();
    ASSERT_TRUE(library) << library.error().ToString();
    plan_.build = plan::Build{engine::kTensorRtLibraryName, (*library)->version(), {}, true, {}, {}};
    for (int rank = 0; rank < ranks; ++rank) {
      const auto info = cuda::GetDeviceInfo(Gpus()[static_cast<size_t>(rank)]);
      ASSERT_TRUE(info) << info.error().ToString();
      plan_.build->compute_capabilities.push_back(fmt::format("{}.{}", info->major, info->minor));
    }
  }

  // "" = it loads.
  std::string Refusal() {
    engine::TensorRtOptions options;
    options.devices = FirstGpus(plan_.world_size());
    const auto engine = engine::MakeTensorRtEngine(options);
    const auto group = engine->Load(plan_, directory_.path(), Deadline::In(std::chrono::seconds(60)));
    return group ? "" : group.error().message;
  }

  TempDirectory directory_;
  plan::Plan plan_;
};

TEST_F(ChecksAtLoad, EnginesBuiltForHereAreTaken) {
  EXPECT_EQ(Refusal(), "");
}

TEST_F(ChecksAtLoad, EnginesOfAnotherVersionAreRefused) {
  const std::string here = plan_.build->version;
  plan_.build->version = "11.0.9";
  EXPECT_THAT(Refusal(),
              StartsWith("the engines were built by tensorrt 11.0.9, this program runs tensorrt " + here));
}

TEST_F(ChecksAtLoad, EnginesForOtherGpusAreRefused) {
  const std::string here = plan_.build->compute_capabilities.front();
  plan_.build->compute_capabilities = {"7.5", "12.0"};
  EXPECT_THAT(Refusal(), HasSubstr("rank 0: its GPU has compute capability " + here +
                                   ", the engines were built for 7.5, 12.0"));
}

}  // namespace
}  // namespace tessera::gputest
