// Owners of device memory and of host memory that GPUs copy from at full speed.
#pragma once

#include <cuda_runtime_api.h>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/base/unique_handle.h"

namespace tessera::cuda {

struct DeviceMemoryTraits {
  using Handle = void*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaFree(handle); }
};
struct PinnedMemoryTraits {
  using Handle = void*;
  static constexpr Handle kNone = nullptr;
  static void Close(Handle handle) noexcept { (void)cudaFreeHost(handle); }
};

// Memory of one GPU; 256-byte aligned, not initialised. Freeing it waits for the device's work.
class DeviceBuffer {
 public:
  DeviceBuffer() = default;
  // Zero bytes are no memory. Errors: kUnavailable (out of memory: the line says how much was wanted and is
  // free).
  static Result<DeviceBuffer> Create(DeviceId device, size_t bytes);

  std::byte* data() const noexcept { return static_cast<std::byte*>(handle_.get()); }
  size_t size() const noexcept { return data() == nullptr ? 0 : size_; }  // one moved from has none
  DeviceId device() const noexcept { return device_; }
  MutableBytes bytes() const noexcept { return {data(), size()}; }

 private:
  DeviceId device_{0};
  size_t size_ = 0;
  UniqueHandle<DeviceMemoryTraits> handle_;
};

// Page-locked host memory that every GPU can reach, and write at the same address.
class PinnedBuffer {
 public:
  PinnedBuffer() = default;
  static Result<PinnedBuffer> Create(size_t bytes);

  std::byte* data() const noexcept { return static_cast<std::byte*>(handle_.get()); }
  size_t size() const noexcept { return data() == nullptr ? 0 : size_; }  // one moved from has none
  MutableBytes bytes() const noexcept { return {data(), size()}; }

 private:
  size_t size_ = 0;
  UniqueHandle<PinnedMemoryTraits> handle_;
};

}  // namespace tessera::cuda
