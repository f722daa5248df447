#include "tessera/plan/probe_file.h"

#include <gtest/gtest.h>

#include <fstream>
#include <numeric>

#include "tessera/base/testing/temporary_directory.h"
#include "tessera/plan/testing/sample_plan.h"

namespace tessera::plan {
namespace {

TensorView View(DType type, const Shape& shape, Bytes bytes) {
  return {type, shape, HostRegion(bytes)};
}

std::vector<std::byte> Copy(const TensorView& view) {
  return {view.data.data, view.data.data + view.data.bytes()};
}

class ProbeFile : public ::testing::Test {
 protected:
  void SetUp() override {
    x_.resize(2 * 8 * 4, std::byte{1});
    y_.resize(4 * 6 * 8, std::byte{2});
    z_.resize(2, std::byte{3});
    const std::vector<TensorView> inputs{View(DType::kFloat32, {2, 8}, x_), View(DType::kInt64, {4, 6}, y_)};
    const std::vector<TensorView> answers{View(DType::kFloat16, {}, z_)};
    plan_ = SamplePlan();
    auto probe = WriteProbe(inputs, answers, {0.25}, "model", directory_.path());
    ASSERT_TRUE(probe) << probe.error().ToString();
    plan_.probe = *std::move(probe);
  }

  tessera::testing::TemporaryDirectory directory_;
  std::vector<std::byte> x_, y_, z_;
  Plan plan_;
};

TEST_F(ProbeFile, HoldsWhatWasWritten) {
  ASSERT_TRUE(Validate(plan_));
  const auto read = ReadProbe(plan_, directory_.path());
  ASSERT_TRUE(read) << read.error().ToString();
  ASSERT_EQ(read->inputs.size(), 2U);
  EXPECT_EQ(read->inputs[1].shape, (Shape{4, 6}));
  EXPECT_EQ(Copy(read->inputs[0]), x_);
  EXPECT_EQ(Copy(read->inputs[1]), y_);
  EXPECT_EQ(Copy(read->answers[0]), z_);
  for (const TensorView& input : read->inputs)
    EXPECT_EQ(reinterpret_cast<uintptr_t>(input.data.data) % 64, 0U);
}

TEST_F(ProbeFile, IsVerifiedWithTheOtherFiles) {
  for (RankPlan& rank : plan_.ranks) {
    rank.weights.clear();
    rank.model = plan_.probe->file;
  }
  EXPECT_TRUE(VerifyArtifacts(plan_, directory_.path()));
  plan_.ranks[0].model.file = "other";
  std::filesystem::copy_file(directory_.path() / kProbeFile, directory_.path() / "other");
  plan_.ranks[1].model.file = "other";
  std::fstream(directory_.path() / kProbeFile, std::ios::in | std::ios::out) << "x";
  const auto verified = VerifyArtifacts(plan_, directory_.path());
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().message.rfind("probe: '", 0), 0U) << verified.error().message;
}

TEST_F(ProbeFile, OfAnotherSizeIsRefused) {
  std::filesystem::resize_file(directory_.path() / kProbeFile, 100);
  const auto read = ReadProbe(plan_, directory_.path());
  ASSERT_FALSE(read);
  EXPECT_TRUE(read.error().message.ends_with("has 100 bytes, the plan wants 258")) << read.error().message;
}

}  // namespace
}  // namespace tessera::plan
