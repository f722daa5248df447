// One thread's way from a file to a GPU.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "tessera/base/posix.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/memory.h"

namespace tessera::engine {

// A part of a file, by a descriptor of its own: the kernel reads ahead for each.
struct FilePart {
  const UniqueFd& fd;
  const std::filesystem::path& file;  // for errors
  uint64_t offset = 0;
};

// Reads `to.size()` bytes. Errors: those of the disk, kInvalidArgument (the file ends before).
Result<void> ReadFully(const FilePart& from, MutableBytes to);

// Two pieces of pinned memory: one is filled while the other is copied. Not thread-safe.
class ReadLane {
 public:
  static constexpr std::chrono::seconds kCopyLimit{60};  // for what a stream has to do

  static Result<std::unique_ptr<ReadLane>> Create(DeviceId device, size_t piece);

  // Brings a part of a file to memory of the GPU, in the order of `stream`. All is read when it returns; the
  // last copies may be under way.
  Result<void> Copy(FilePart from, MutableBytes to, cudaStream_t stream);
  // Waits until nothing is under way. An error: the GPU may use this lane's memory for ever.
  Result<void> Finish();

  DeviceId device() const { return device_; }
  size_t piece() const { return pieces_.front().memory.size(); }

 private:
  struct Piece {
    cuda::PinnedBuffer memory;
    cuda::Event copied;
    bool under_way = false;
  };
  ReadLane(DeviceId device, std::array<Piece, 2> pieces) : device_(device), pieces_(std::move(pieces)) {}
  static Result<void> Await(Piece& piece);

  const DeviceId device_;
  std::array<Piece, 2> pieces_;
  size_t next_ = 0;
};

// Lanes that nobody uses, for the next one who does: to make pinned memory takes long, and to free it waits
// for every GPU.
class ReadLanes {
 public:
  static Result<std::unique_ptr<ReadLane>> Take(DeviceId device, size_t piece);
  // Waits as Finish does. After an error the lane stays behind, since the GPU may use it for ever.
  static Result<void> Give(std::unique_ptr<ReadLane> lane);
};

}  // namespace tessera::engine
