// Requests whose memory is on the GPUs already: used in place once their addresses have come back.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tessera/cuda/allocation.h"
#include "tessera/engine/tensorrt/step_times.h"
#include "tests/gpu/device_memory.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/mlp_groups.h"
#include "tests/gpu/steps.h"

namespace tessera::gputest {
namespace {

constexpr int64_t kRows = 16;

class DirectGpu : public ::testing::TestWithParam<int> {
 protected:
  void SetUp() override {
    if (Gpus().size() < static_cast<size_t>(GetParam())) GTEST_SKIP() << GetParam() << " ranks";
    group_ = groups_.Loaded(mlp_, FirstGpus(GetParam()));
    ASSERT_TRUE(group_);
    for (int r = 0; r < GetParam(); ++r) inputs_.push_back(Buffer(r));
    output_ = Buffer(0);
  }

  static cuda::DeviceBuffer Buffer(int rank) {
    auto buffer =
        cuda::DeviceBuffer::Create(Gpus()[static_cast<size_t>(rank)], static_cast<size_t>(kRows) * 256 * 2);
    EXPECT_TRUE(buffer);
    return *std::move(buffer);
  }

  std::vector<uint16_t> FromHost(const std::vector<uint16_t>& x) {
    Taker taker;
    const auto done =
        group_->Run(Common({{DType::kFloat16, {kRows, mlp_.k}, HostRegion(std::as_bytes(std::span(x)))}},
                           GetParam(), taker, Soon()));
    EXPECT_TRUE(done) << done.error().ToString();
    return taker.Values<uint16_t>(0, 0);
  }

  // The answer to x in inputs_, given in `place`.
  std::vector<uint16_t> FromGpus(const std::vector<uint16_t>& x, const Region& place) {
    Taker taker;
    taker.TakeTo(Rank(0), 0, place);
    engine::Step step;
    step.sink = &taker;
    step.deadline = Soon();
    for (const cuda::DeviceBuffer& input : inputs_) {
      EXPECT_TRUE(CopyNow(HostRegion(std::as_bytes(std::span(x))), Whole(input), input.device(), Soon()));
      step.ranks.push_back({{TensorView{DType::kFloat16, {kRows, mlp_.k}, Whole(input)}}});
    }
    const auto done = group_->Run(step);
    EXPECT_TRUE(done) << done.error().ToString();
    std::vector<uint16_t> y(x.size());
    EXPECT_TRUE(
        CopyNow(place, HostRegion(std::as_writable_bytes(std::span(y))), DeviceId(place.device), Soon()));
    return y;
  }

  std::vector<uint16_t> X(unsigned seed) const {
    return RandomHalves(static_cast<size_t>(kRows * mlp_.k), seed, 1);
  }
  bool direct() const { return engine::LastStepTimes(*group_)->direct; }

  const Mlp mlp_;
  MlpGroups groups_;
  std::unique_ptr<engine::RankGroup> group_;
  std::vector<cuda::DeviceBuffer> inputs_;
  cuda::DeviceBuffer output_;
};

TEST_P(DirectGpu, AddressesThatComeBackAreUsedInPlaceWithTheirNewContent) {
  for (unsigned seed = 1; seed <= 8; ++seed) {
    const std::vector<uint16_t> x = X(seed);
    EXPECT_EQ(FromGpus(x, Whole(output_)), FromHost(x)) << "step " << seed;
  }
  (void)FromGpus(X(9), Whole(output_));
  EXPECT_TRUE(direct());
  (void)FromHost(X(9));
  EXPECT_FALSE(direct());
}

TEST_P(DirectGpu, OtherAddressesAreCopiedAndTheOnesBeforeStayRight) {
  for (unsigned seed = 1; seed <= 4; ++seed) (void)FromGpus(X(seed), Whole(output_));
  ASSERT_TRUE(direct());
  const cuda::DeviceBuffer other = Buffer(0);
  const std::vector<uint16_t> wanted = FromHost(X(20));
  EXPECT_EQ(FromGpus(X(20), Whole(other)), wanted);
  EXPECT_FALSE(direct());
  EXPECT_EQ(FromGpus(X(20), Whole(output_)), wanted);
  EXPECT_TRUE(direct());
}

TEST_P(DirectGpu, MemoryMadeAnewIsAnotherAllocation) {
  const uint64_t before = cuda::AllocationOf(output_.data()).value();
  EXPECT_EQ(cuda::AllocationOf(output_.data() + 512).value(), before);
  output_ = cuda::DeviceBuffer();
  output_ = Buffer(0);
  EXPECT_NE(cuda::AllocationOf(output_.data()).value(), before);
}

TEST_P(DirectGpu, AnOutputOverItsInputIsRight) {
  for (unsigned seed = 1; seed <= 6; ++seed) {
    const std::vector<uint16_t> wanted = FromHost(X(seed));
    EXPECT_EQ(FromGpus(X(seed), Whole(inputs_.front())), wanted) << "step " << seed;
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, DirectGpu, ::testing::Values(1, 2));

}  // namespace
}  // namespace tessera::gputest
