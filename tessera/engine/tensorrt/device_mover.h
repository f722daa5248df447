// Copies between requests and the memory of a GPU.
#pragma once

#include <memory>
#include <vector>

#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"
#include "tessera/engine/mover.h"

namespace tessera::engine {

class DeviceMover final : public Mover {
 public:
  static Result<std::unique_ptr<Mover>> Create(DeviceId device);
  ~DeviceMover() override;
  DeviceMover(const DeviceMover&) = delete;
  DeviceMover& operator=(const DeviceMover&) = delete;

  DeviceId device() const override { return stream_.device(); }
  Result<Region> Reserve(size_t slot, size_t bytes) override;
  Result<void> Copy(const ConstRegion& from, const Region& to) override;
  Result<void> Wait(Deadline deadline) override { return stream_.Drain(deadline); }

 private:
  explicit DeviceMover(cuda::Stream stream) : stream_(std::move(stream)) {}

  const cuda::Stream stream_;
  std::vector<cuda::DeviceBuffer> slots_;
};

}  // namespace tessera::engine
