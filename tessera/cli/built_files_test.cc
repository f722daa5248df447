#include "tessera/cli/built_files.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/plan/probe_file.h"
#include "tessera/plan/testing/sample_plan.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// A model of two ranks in version(), and what a build of it made in scratch().
class BuiltFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    fs::create_directory(version());
    fs::create_directory(scratch());
    sharded_ = plan::SamplePlan();
    sharded_.engine = "tensorrt";
    for (plan::RankPlan& rank : sharded_.ranks) {
      rank.model = Make(version(), rank.model.file, "an ONNX file");
      rank.weights.clear();
    }
    sharded_.probe = plan::SampleProbedPlan().probe;
    sharded_.probe->file = MakeProbe(version(), 'o');
    const Result<void> written = plan::WritePlan(sharded_, version());
    ASSERT_TRUE(written) << written.error().ToString();
  }

  // Engines and a probe whose content is `text`.
  plan::Plan Build(const std::string& text) {
    plan::Plan built = sharded_;
    built.build = plan::SampleBuiltPlan().build;
    for (size_t r = 0; r < built.ranks.size(); ++r) {
      built.build->sources[r] = {built.ranks[r].model, {}};
      built.ranks[r].model = Make(scratch(), "model.plan.rank" + std::to_string(r), text);
    }
    built.probe->file = MakeProbe(scratch(), text.front());
    return built;
  }

  static plan::Artifact Make(const fs::path& directory, const std::string& file, const std::string& text) {
    EXPECT_TRUE(WriteFileAtomically(directory / file, text));
    return ArtifactOf(directory, file).value();
  }

  plan::Artifact MakeProbe(const fs::path& directory, char content) const {
    return Make(directory, plan::kProbeFile,
                std::string(plan::ProbeBytes(sharded_, *sharded_.probe).value(), content));
  }

  // What plan.json says, whose files are all there as it says.
  plan::Plan Kept() const {
    auto plan = plan::ReadPlan(version());
    EXPECT_TRUE(plan) << plan.error().ToString();
    const Result<void> verified = plan::VerifyArtifacts(*plan, version());
    EXPECT_TRUE(verified) << verified.error().ToString();
    return *std::move(plan);
  }

  fs::path version() const { return directory_.path() / "1"; }
  fs::path scratch() const { return directory_.path() / "scratch"; }

  const tessera::testing::TemporaryDirectory directory_;
  plan::Plan sharded_;
};

TEST_F(BuiltFiles, TakeTheirPlacesAndReplaceThoseOfABuildBefore) {
  for (const char* text : {"first", "second"}) {
    const plan::Plan built = Build(text);
    ASSERT_TRUE(PutInPlace(built, sharded_, scratch(), version()));
    EXPECT_EQ(Kept(), built);
    EXPECT_TRUE(fs::is_empty(scratch()));
  }
}

// Whichever of the renames is the last one that is made: a directory in the place of a file refuses the next.
TEST_F(BuiltFiles, WhatEndsInTheMiddleLeavesThePlanOfTheFilesThatAreThere) {
  ASSERT_TRUE(PutInPlace(Build("first"), sharded_, scratch(), version()));
  const plan::Plan second = Build("second");
  for (const char* last : {plan::kProbeFile, "model.plan.rank1", "model.plan.rank0"}) {
    fs::remove(version() / last);
    fs::create_directories(version() / last / "filled");
    const Result<void> ended = PutInPlace(Build("second"), sharded_, scratch(), version());
    ASSERT_FALSE(ended);
    EXPECT_THAT(ended.error().message, ::testing::HasSubstr(last));
    plan::Plan wanted = sharded_;
    wanted.probe.reset();
    EXPECT_EQ(Kept(), wanted);
    fs::remove_all(version() / last);
  }
  ASSERT_TRUE(PutInPlace(Build("second"), sharded_, scratch(), version()));
  EXPECT_EQ(Kept(), second);
}

TEST_F(BuiltFiles, AProbeThatServesAgainStays) {
  plan::Plan built = Build("first");
  fs::remove(scratch() / plan::kProbeFile);
  built.probe = sharded_.probe;
  ASSERT_TRUE(PutInPlace(built, sharded_, scratch(), version()));
  EXPECT_EQ(Kept(), built);
}

TEST_F(BuiltFiles, AProbeThatNoPlanNamesGoes) {
  plan::Plan built = Build("first");
  fs::remove(scratch() / plan::kProbeFile);
  built.probe.reset();
  ASSERT_TRUE(PutInPlace(built, sharded_, scratch(), version()));
  EXPECT_EQ(Kept(), built);
  EXPECT_FALSE(fs::exists(version() / plan::kProbeFile));
}

}  // namespace
}  // namespace tessera::cli
