// Plans read as a library may ask for them: in the order of its stream.
#include "tessera/engine/tensorrt/plan_reader.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <thread>

#include "tessera/base/file.h"
#include "tessera/base/testing/temporary_directory.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

constexpr size_t kPart = 64 << 10;
constexpr size_t kParts = 4;

class PlanReaderGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Gpus().empty()) GTEST_SKIP() << "needs a GPU";
    device_ = Gpus().front();
    auto stream = cuda::Stream::Create(device_);
    auto memory = cuda::DeviceBuffer::Create(device_, kParts * kPart);
    ASSERT_TRUE(stream && memory);
    stream_.emplace(*std::move(stream));
    memory_ = *std::move(memory);
    const std::filesystem::path file = directory_.path() / "model.plan";
    ASSERT_TRUE(WriteFileAtomically(file, {reinterpret_cast<const char*>(content_.data()), kParts * kPart}));
    auto reader = engine::PlanReader::Open(file, device_, engine::ReadWays());
    ASSERT_TRUE(reader) << reader.error().ToString();
    reader_ = *std::move(reader);
  }

  // What is issued from now on runs after a while: too late for who does not wait for it.
  void HoldUp() const {
    auto sleep = [](void*) { std::this_thread::sleep_for(std::chrono::milliseconds(100)); };
    ASSERT_EQ(cudaLaunchHostFunc(stream_->get(), sleep, nullptr), cudaSuccess);
  }
  std::byte* Part(size_t i) const { return memory_.data() + i * kPart; }

  std::vector<uint16_t> OnTheGpu() const {
    std::vector<uint16_t> values(content_.size());
    EXPECT_TRUE(stream_->Drain(Deadline::In(std::chrono::seconds(20))));
    EXPECT_EQ(cudaMemcpy(values.data(), memory_.data(), memory_.size(), cudaMemcpyDeviceToHost), cudaSuccess);
    return values;
  }

  const std::vector<uint16_t> content_ = RandomHalves(kParts * kPart / 2, 3, 1.0F);
  testing::TemporaryDirectory directory_;
  DeviceId device_{0};
  std::optional<cuda::Stream> stream_;
  cuda::DeviceBuffer memory_;
  std::unique_ptr<engine::PlanReader> reader_;
};

TEST_F(PlanReaderGpu, PinnedMemoryIsFilledWhenTheStreamHasCopiedWhatItHeld) {
  auto stage = cuda::PinnedBuffer::Create(kPart);
  ASSERT_TRUE(stage);
  for (size_t i = 0; i < kParts; ++i) {
    ASSERT_EQ(reader_->read(stage->data(), kPart, stream_->get()), static_cast<int64_t>(kPart));
    HoldUp();
    ASSERT_EQ(cudaMemcpyAsync(Part(i), stage->data(), kPart, cudaMemcpyHostToDevice, stream_->get()),
              cudaSuccess);
  }
  EXPECT_EQ(OnTheGpu(), content_);
  EXPECT_TRUE(reader_->Finish());
  EXPECT_EQ(reader_->totals().to_host, kParts * kPart);
}

TEST_F(PlanReaderGpu, MemoryOfTheGpuIsFilledInTheOrderOfTheStream) {
  HoldUp();
  ASSERT_EQ(cudaMemsetAsync(memory_.data(), 0xab, memory_.size(), stream_->get()), cudaSuccess);
  for (size_t i = 0; i < kParts; ++i) {
    ASSERT_EQ(reader_->read(Part(i), kPart, stream_->get()), static_cast<int64_t>(kPart));
  }
  EXPECT_EQ(OnTheGpu(), content_);
  EXPECT_TRUE(reader_->Finish());
  EXPECT_EQ(reader_->totals().to_device, kParts * kPart);
}

}  // namespace
}  // namespace tessera::gputest
