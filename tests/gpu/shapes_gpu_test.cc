// Shape tensors and several profiles on real GPUs, with the stand-in for libnvinfer.
#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

using ::testing::HasSubstr;

struct Answer {
  Shape shape;
  std::vector<uint16_t> values;
};

class ShapesGpu : public ::testing::TestWithParam<int> {  // of as many ranks
 protected:
  void SetUp() override {
    if (Gpus().size() < static_cast<size_t>(GetParam())) GTEST_SKIP() << "needs " << GetParam() << " GPUs";
  }

  std::unique_ptr<engine::RankGroup> Loaded(const Mlp& mlp, const engine::TensorRtOptions& options = {}) {
    return groups_.Loaded(mlp, FirstGpus(GetParam()), options);
  }

  MlpGroups groups_;
};

// With a second input: the sizes of the output.
Mlp Reshaped() {
  Mlp mlp;
  mlp.reshaped = true;
  return mlp;
}

// m rows; with `sizes`, of a model that takes them.
Result<Answer> Ask(engine::RankGroup& group, const Mlp& mlp, int64_t m,
                   const std::vector<int64_t>& sizes = {}) {
  const std::vector<uint16_t> x = RandomHalves(static_cast<size_t>(m * mlp.k), 7, 1);
  Taker taker;
  std::vector<TensorView> inputs = {{DType::kFloat16, {m, mlp.k}, HostRegion(std::as_bytes(std::span(x)))}};
  if (!sizes.empty()) inputs.push_back({DType::kInt64, {3}, HostRegion(std::as_bytes(std::span(sizes)))});
  TRY(group.Run(Common(std::move(inputs), group.world_size(), taker, Soon())));
  return Answer{taker.shape(0, 0), taker.Values<uint16_t>(0, 0)};
}

TEST_P(ShapesGpu, ValuesOfAShapeTensorGiveTheOutputItsShape) {
  const Mlp mlp = Reshaped();
  auto plain = Loaded(Mlp());
  auto group = Loaded(mlp);
  ASSERT_TRUE(plain && group);
  for (int round = 0; round < 3; ++round) {
    for (const std::vector<int64_t>& sizes :
         {std::vector<int64_t>{6, 64, 4}, {6, 128, 2}, {3, 256, 2}, {1, 256, 6}}) {
      const auto got = Ask(*group, mlp, 6, sizes);
      ASSERT_TRUE(got) << got.error().ToString();
      EXPECT_EQ(got->shape, sizes);
      EXPECT_EQ(got->values, Ask(*plain, Mlp(), 6)->values);
    }
  }
}

// What a group that takes sizes, and goes on with others, says of these.
Error RefusalOf(engine::RankGroup& group, const std::vector<int64_t>& sizes) {
  const auto refused = Ask(group, Reshaped(), 4, sizes);
  EXPECT_FALSE(refused);
  EXPECT_TRUE(group.usable());
  EXPECT_TRUE(Ask(group, Reshaped(), 4, {4, 64, 4}));
  return refused ? Error{} : refused.error();
}

TEST_P(ShapesGpu, AValueOutsideOfTheProfileIsRefusedAndTheNextRequestWorks) {
  auto group = Loaded(Reshaped());
  ASSERT_TRUE(group);
  const Error refused = RefusalOf(*group, {65, 4, 4});
  EXPECT_EQ(refused.code, Code::kInvalidArgument);
  EXPECT_THAT(refused.message,
              HasSubstr("The shape value at index 0 is expected to be in range from 1 to 64, Got: 65"));
}

TEST_P(ShapesGpu, ValuesThatDoNotGoWithTheShapesAreRefusedAndTheRanksStay) {
  auto group = Loaded(Reshaped());
  ASSERT_TRUE(group);
  EXPECT_EQ(RefusalOf(*group, {4, 63, 4}).code, Code::kInvalidArgument);
}

TEST_P(ShapesGpu, AShapeTensorInDeviceMemoryIsRefused) {
  const Mlp mlp = Reshaped();
  auto group = Loaded(mlp);
  ASSERT_TRUE(group);
  const std::vector<uint16_t> x(static_cast<size_t>(4 * mlp.k));
  const std::vector<int64_t> sizes = {4, 64, 4};
  ConstRegion on_device = HostRegion(std::as_bytes(std::span(sizes)));
  on_device.kind = MemoryKind::kDevice;
  Taker taker;
  const auto refused =
      group->Run(Common({{DType::kFloat16, {4, mlp.k}, HostRegion(std::as_bytes(std::span(x)))},
                         {DType::kInt64, {3}, on_device}},
                        group->world_size(), taker, Soon()));
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message,
              HasSubstr("input 's' is a shape tensor: wanted it dense in host memory"));
  EXPECT_TRUE(group->usable());
}

Mlp WithTwoProfiles() {
  Mlp mlp;
  mlp.second_most_m = 256;
  return mlp;
}

TEST_P(ShapesGpu, TheSecondProfileTakesWhatTheFirstDoesNot) {
  Mlp large;
  large.most_m = 256;
  auto plain = Loaded(large);
  auto group = Loaded(WithTwoProfiles());
  ASSERT_TRUE(plain && group);
  for (const int64_t m : {5, 200, 64, 65, 256, 200, 5}) {
    const auto got = Ask(*group, large, m);
    ASSERT_TRUE(got) << got.error().ToString();
    EXPECT_EQ(got->values, Ask(*plain, large, m)->values) << "m = " << m;
  }
}

TEST_P(ShapesGpu, OnlyTheListedProfilesAreUsed) {
  engine::TensorRtOptions options;
  options.profiles = {0};
  options.model_profiles = {0};
  auto first = Loaded(WithTwoProfiles(), options);
  options.profiles = {1, 1};
  options.model_profiles = {1, 1};
  auto second = Loaded(WithTwoProfiles(), options);
  ASSERT_TRUE(first && second);
  EXPECT_THAT(Ask(*first, Mlp(), 200).error().message, HasSubstr("the engine takes [1,256] to [64,256]"));
  EXPECT_EQ(first->largest_inputs().front().front(), 64);
  EXPECT_TRUE(Ask(*second, Mlp(), 200));
  EXPECT_EQ(second->largest_inputs().front().front(), 256);
  options.profiles = {0};
  options.model_profiles = {0, 1};
  auto beside_others = Loaded(WithTwoProfiles(), options);
  ASSERT_TRUE(beside_others);
  EXPECT_EQ(beside_others->largest_inputs().front().front(), 256);
  EXPECT_FALSE(Ask(*beside_others, Mlp(), 200));
}

TEST_P(ShapesGpu, AProfileThatTheEngineHasNotIsRefused) {
  engine::TensorRtOptions options;
  options.profiles = {0, 1};
  const auto loaded = groups_.Load(Mlp(), FirstGpus(GetParam()), options);
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().message,
              HasSubstr("invalid profile 1. Number of profiles supported by TensorRT engine: 1"));
}

// The lines are declared_test.cc's affair.
TEST_P(ShapesGpu, TensorsThatAreNotServedRefuseTheModel) {
  for (const char* what : {"fp8", "int4", "chw4", "host"}) {
    Mlp mlp;
    mlp.declared = {{"y", what}};
    const auto loaded = groups_.Load(mlp, FirstGpus(GetParam()));
    ASSERT_FALSE(loaded) << what;
    EXPECT_EQ(loaded.error().code, Code::kUnsupported);
    EXPECT_THAT(loaded.error().message, HasSubstr("'y'"));
  }
}

size_t FreeBytes() {
  size_t free = 0;
  size_t total = 0;
  EXPECT_EQ(cudaSetDevice(Gpus()[0].value()), cudaSuccess);
  EXPECT_EQ(cudaMemGetInfo(&free, &total), cudaSuccess);
  return free;
}

// The stand-in's profiles need 16 and 32 MiB: shared, 32; else 32 each.
TEST_P(ShapesGpu, ProfilesShareTheMemoryOfOneContext) {
  constexpr size_t kSaved = size_t{32} << 20;
  engine::TensorRtOptions shared;
  shared.spare_connections = false;  // made when it likes to: memory would come and go
  engine::TensorRtOptions own = shared;
  own.static_contexts = true;
  auto warm = Loaded(WithTwoProfiles(), shared);  // what CUDA and NCCL keep for good is there by now
  ASSERT_TRUE(warm);
  warm.reset();
  size_t used[2] = {0, 0};
  std::vector<uint16_t> answers[2];
  for (const bool is_own : {false, true}) {
    const size_t before = FreeBytes();
    auto group = Loaded(WithTwoProfiles(), is_own ? own : shared);
    ASSERT_TRUE(group);
    used[is_own ? 1 : 0] = before - FreeBytes();
    for (const int64_t m : {5, 200}) {
      const auto got = Ask(*group, Mlp(), m);
      ASSERT_TRUE(got) << got.error().ToString();
      auto& all = answers[is_own ? 1 : 0];
      all.insert(all.end(), got->values.begin(), got->values.end());
    }
  }
  EXPECT_EQ(answers[0], answers[1]);
  EXPECT_GE(used[1], used[0] + kSaved / 2);
}

// 16 MiB instead of the 32 that the engine's largest needs.
TEST_P(ShapesGpu, AListedProfileTakesItsOwnMemoryOnly) {
  constexpr size_t kSaved = size_t{16} << 20;
  engine::TensorRtOptions all;
  all.spare_connections = false;
  engine::TensorRtOptions first = all;
  first.profiles = {0};
  auto warm = Loaded(WithTwoProfiles(), all);
  ASSERT_TRUE(warm);
  warm.reset();
  size_t used[2] = {0, 0};
  for (const bool is_first : {false, true}) {
    const size_t before = FreeBytes();
    auto group = Loaded(WithTwoProfiles(), is_first ? first : all);
    ASSERT_TRUE(group);
    used[is_first ? 1 : 0] = before - FreeBytes();
    EXPECT_TRUE(Ask(*group, Mlp(), 5));
  }
  EXPECT_GE(used[0], used[1] + kSaved / 2);
}

// All but `bytes` of a GPU's memory.
Result<std::vector<cuda::DeviceBuffer>> LeaveFree(DeviceId device, size_t bytes) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device));
  std::vector<cuda::DeviceBuffer> taken;
  for (size_t piece = size_t{1} << 36; piece >= size_t{1} << 24; piece /= 2) {
    size_t free = 0;
    size_t total = 0;
    while (cudaMemGetInfo(&free, &total) == cudaSuccess && free >= bytes + piece) {
      auto buffer = cuda::DeviceBuffer::Create(device, piece);
      if (!buffer) break;
      taken.push_back(*std::move(buffer));
    }
  }
  return taken;
}

TEST_P(ShapesGpu, AShapeThatTheGpuHasNoMemoryForIsRefusedAndTheRanksStay) {
  Mlp mlp;
  mlp.f = 16;
  mlp.most_m = 1 << 20;  // 512 MB
  engine::TensorRtOptions options;
  options.spare_connections = false;  // would want memory, too
  auto group = Loaded(mlp, options);
  ASSERT_TRUE(group);
  const auto wanted = Ask(*group, mlp, 48);
  ASSERT_TRUE(wanted) << wanted.error().ToString();
  const auto taken = LeaveFree(Gpus()[GetParam() - 1], size_t{320} << 20);
  ASSERT_TRUE(taken) << taken.error().ToString();
  const std::vector<uint16_t> x(static_cast<size_t>(mlp.most_m * mlp.k));
  const TensorView large{DType::kFloat16, {mlp.most_m, mlp.k}, HostRegion(std::as_bytes(std::span(x)))};
  for (int i = 0; i < 3; ++i) {
    Taker taker;
    const auto refused = group->Run(Common({large}, group->world_size(), taker, Soon()));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, Code::kUnavailable);
    EXPECT_THAT(refused.error().message,
                ::testing::MatchesRegex("input 'x': GPU [0-9]+ is out of memory: 536870912 bytes wanted.*"));
    EXPECT_TRUE(group->usable());
    const auto next = Ask(*group, mlp, 48);
    ASSERT_TRUE(next) << next.error().ToString();
    EXPECT_EQ(next->values, wanted->values);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, ShapesGpu, ::testing::Values(1, 2));

}  // namespace
}  // namespace tessera::gputest
