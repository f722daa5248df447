// The memory of outputs whose shape depends on the data, on a real GPU.
#include "tessera/engine/tensorrt/output_allocator.h"

#include <cuda_runtime_api.h>
#include <gtest/gtest.h>

#include "tests/gpu/gpus.h"

namespace tessera::gputest {
namespace {

bool IsDeviceMemory(const void* address) {
  cudaPointerAttributes attributes{};
  return cudaPointerGetAttributes(&attributes, address) == cudaSuccess &&
         attributes.type == cudaMemoryTypeDevice;
}

TEST(OutputAllocatorGpu, WhatWasOutgrownStaysUntilItIsDropped) {
  if (Gpus().empty()) GTEST_SKIP() << "needs a GPU";
  engine::OutputAllocator allocator(Gpus().front());
  void* const small = allocator.reallocateOutputAsync("y", nullptr, size_t{4} << 20, 256, nullptr);
  ASSERT_TRUE(IsDeviceMemory(small));
  EXPECT_EQ(allocator.reallocateOutputAsync("y", small, 1, 256, nullptr), small);
  EXPECT_FALSE(allocator.has_outgrown());

  void* const large = allocator.reallocateOutputAsync("y", small, size_t{64} << 20, 256, nullptr);
  ASSERT_TRUE(IsDeviceMemory(large));
  EXPECT_NE(large, small);
  EXPECT_EQ(allocator.data(), large);
  EXPECT_TRUE(allocator.has_outgrown());
  EXPECT_TRUE(IsDeviceMemory(small));  // a step in flight may still write there

  allocator.DropOutgrown();
  EXPECT_FALSE(allocator.has_outgrown());
  EXPECT_FALSE(IsDeviceMemory(small));
  EXPECT_TRUE(IsDeviceMemory(large));
}

TEST(OutputAllocatorGpu, WithoutMemoryTheOldOneStays) {
  if (Gpus().empty()) GTEST_SKIP() << "needs a GPU";
  engine::OutputAllocator allocator(Gpus().front());
  void* const small = allocator.reallocateOutputAsync("y", nullptr, 4096, 256, nullptr);
  EXPECT_EQ(allocator.reallocateOutputAsync("y", small, uint64_t{1} << 50, 256, nullptr), nullptr);
  EXPECT_EQ(allocator.data(), small);
}

}  // namespace
}  // namespace tessera::gputest
