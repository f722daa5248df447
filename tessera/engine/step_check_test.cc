#include "tessera/engine/step_check.h"

#include <gtest/gtest.h>

#include "tessera/engine/testing/plain_step.h"

namespace tessera::engine {
namespace {

const std::vector<TensorSpec> kInputs{{"x", DType::kFloat32, {kDynamic, 2}}};

TEST(StepCheck, TakesAStepThatFits) {
  KeepingSink sink(2, 0);
  const std::vector<float> x(4);
  const TensorView view = ViewOf(DType::kFloat32, {2, 2}, x);
  EXPECT_TRUE(CheckStep({{{{view}}, {{view}}}, &sink}, 2, kInputs));
}

TEST(StepCheck, NamesWhatDoesNotFit) {
  KeepingSink sink(2, 0);
  const std::vector<float> x(4);
  const TensorView good = ViewOf(DType::kFloat32, {2, 2}, x);
  const auto line = [&](const TensorView& second) {
    Result<void> checked = CheckStep({{{{good}}, {{second}}}, &sink}, 2, kInputs);
    return checked ? "fits" : checked.error().message;
  };
  EXPECT_EQ(line(ViewOf(DType::kInt32, {2, 2}, x)), "rank 1: input 'x' is INT32, the engine wants FP32");
  EXPECT_EQ(line(ViewOf(DType::kFloat32, {4, 1}, x)), "rank 1: input 'x' is [4,1], the engine wants [-1,2]");
  EXPECT_EQ(line(ViewOf(DType::kFloat32, {3, 2}, x)),
            "rank 1: input 'x' [3,2] has 16 bytes of data, wanted 24");
  EXPECT_EQ(CheckStep({{{{good}}}, &sink}, 2, kInputs).error().message,
            "the step has inputs for 1 ranks, wanted 2");
  EXPECT_EQ(CheckStep({{{{good}}, {}}, &sink}, 2, kInputs).error().message,
            "rank 1: 0 inputs, the engine wants 1");
  EXPECT_EQ(CheckStep({{{{good}}, {{good}}}, nullptr}, 2, kInputs).error().message,
            "the step has no sink for its outputs");
}

TEST(StepCheck, RefusesIntegersThatTheEngineDoesNotKeep) {
  KeepingSink sink(2, 0);
  std::vector<int64_t> ids{1, 2};
  const TensorView view = ViewOf(DType::kInt64, {2}, ids);
  const std::vector<TensorSpec> narrow{{"ids", DType::kInt64, {2}, /*on_host=*/false, /*in_32_bits=*/true}};
  const Step step{{{{view}}, {{view}}}, &sink};
  EXPECT_TRUE(CheckStep(step, 2, narrow));
  ids[1] = int64_t{1} << 40;
  EXPECT_EQ(CheckStep(step, 2, narrow).error().message,
            "input 'ids' has the value 1099511627776; the engine keeps INT64 in 32 bits");
}

TEST(StepCheck, APlaceHasTheBytesOfItsTensor) {
  std::vector<std::byte> bytes(8);
  const TensorSpec y{"y", DType::kFloat32, {2}};
  EXPECT_TRUE(CheckPlace(HostRegion(MutableBytes{bytes}), y, DType::kFloat32, {2}));
  EXPECT_TRUE(CheckPlace(Region{}, y, DType::kFloat32, {2}));
  EXPECT_EQ(CheckPlace(HostRegion(MutableBytes{bytes}), y, DType::kFloat32, {3}).error().message,
            "output 'y' [3] got a place of 8 bytes, wanted 12");
}

}  // namespace
}  // namespace tessera::engine
