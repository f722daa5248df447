#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tessera/base/sha256.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/plan/testing/sample_plan.h"

namespace tessera::plan {
namespace {

namespace fs = std::filesystem;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class PlanFile : public ::testing::Test {
 protected:
  void Write(const std::string& file, const std::string& text) { std::ofstream(directory_ / file) << text; }

  // The sample, with files to match.
  Plan PlanWithFiles() {
    Plan plan = SamplePlan();
    for (RankPlan& rank : plan.ranks) {
      Fill(rank.model);
      for (Artifact& weights : rank.weights) Fill(weights);
    }
    return plan;
  }

  const tessera::testing::TemporaryDirectory temporary_;
  const fs::path directory_ = temporary_.path();

 private:
  void Fill(Artifact& artifact) {
    const std::string text = "content of " + artifact.file;
    Write(artifact.file, text);
    artifact.bytes = ByteCount{text.size()};
    artifact.sha256 = *Sha256OfFile(directory_ / artifact.file);
  }
};

TEST_F(PlanFile, ReadsWhatItWrote) {
  ASSERT_TRUE(WritePlan(SamplePlan(), directory_));
  Result<Plan> plan = ReadPlan(directory_);
  ASSERT_TRUE(plan) << plan.error().message;
  EXPECT_EQ(*plan, SamplePlan());
}

TEST_F(PlanFile, LeavesNothingButThePlan) {
  ASSERT_TRUE(WritePlan(SamplePlan(), directory_));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory_), fs::directory_iterator()), 1);
}

TEST_F(PlanFile, AnInvalidPlanIsNotWritten) {
  Plan plan = SamplePlan();
  plan.ranks.clear();
  EXPECT_FALSE(WritePlan(plan, directory_));
  EXPECT_FALSE(fs::exists(directory_ / kPlanFile));
}

TEST_F(PlanFile, ANameThatIsNotUtf8IsRefused) {
  Plan plan = SamplePlan();
  plan.inputs[0].spec.name = "\xff";
  Result<void> written = WritePlan(plan, directory_);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().message, "plan of 'mlp': a name is not UTF-8");
}

TEST_F(PlanFile, AMissingPlanIsNotFound) {
  Result<Plan> plan = ReadPlan(directory_);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kNotFound);
  EXPECT_THAT(plan.error().message, HasSubstr("plan.json"));
}

TEST_F(PlanFile, AReadErrorNamesTheFile) {
  Write("plan.json", "{}");
  Result<Plan> plan = ReadPlan(directory_);
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kInvalidArgument);
  EXPECT_EQ(plan.error().message,
            (directory_ / "plan.json").string() + ": the document has no field 'format'");
}

TEST_F(PlanFile, FilesThatMatchAreVerified) {
  const Plan plan = PlanWithFiles();
  Result<void> verified = VerifyArtifacts(plan, directory_);
  EXPECT_TRUE(verified) << verified.error().message;
}

TEST_F(PlanFile, AMissingRankFileIsNamed) {
  const Plan plan = PlanWithFiles();
  fs::remove(directory_ / "model.onnx.rank1");
  Result<void> verified = VerifyArtifacts(plan, directory_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Code::kNotFound);
  EXPECT_THAT(verified.error().message, HasSubstr("rank 1: no file '"));
  EXPECT_THAT(verified.error().message, EndsWith("model.onnx.rank1': No such file or directory"));
}

TEST_F(PlanFile, AWrongSizeIsNamedWithBoth) {
  const Plan plan = PlanWithFiles();
  Write("weights.rank0", "short");
  Result<void> verified = VerifyArtifacts(plan, directory_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Code::kInvalidArgument);
  EXPECT_THAT(verified.error().message, EndsWith("weights.rank0' has 5 bytes, the plan wants 24"));
}

TEST_F(PlanFile, AChangedByteIsNamedWithBothSums) {
  const Plan plan = PlanWithFiles();
  Write("weights.shared", "Content of weights.shared");
  Result<void> verified = VerifyArtifacts(plan, directory_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().code, Code::kInvalidArgument);
  EXPECT_THAT(verified.error().message, HasSubstr("weights.shared' has sha256 "));
  EXPECT_THAT(verified.error().message, EndsWith("the plan wants " + plan.ranks[0].weights[1].sha256));
}

TEST_F(PlanFile, TwoRanksThatDisagreeAboutAFileAreRefused) {
  Plan plan = PlanWithFiles();
  plan.ranks[1].weights[1].bytes = ByteCount{1};
  Result<void> verified = VerifyArtifacts(plan, directory_);
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().message,
            "rank 1: 'weights.shared' stands in the plan with another size or sha256 before");
}

}  // namespace
}  // namespace tessera::plan
