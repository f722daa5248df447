// What first collectives work with on a GPU.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::comm {

// A stream and kBytes of memory, for one rank at a time. They stay for the process and go from one use to the
// next: freeing them would wait for all that the GPU does, another model's step that hangs included, while
// other models are kept off the GPU.
class Lane {
 public:
  static constexpr size_t kBytes = size_t{16} << 20;

  static Result<Lane> Take(DeviceId device);
  // Gives it back; one whose work does not end (collectives are aborted by then) is used no more.
  ~Lane();
  Lane(Lane&&) noexcept = default;
  Lane& operator=(Lane&&) = delete;

  const cuda::Stream& stream() const { return made_->stream; }
  std::byte* data() const { return made_->buffer.data(); }

 private:
  struct Made {
    cuda::Stream stream;
    cuda::DeviceBuffer buffer;
  };
  struct Shelf;
  explicit Lane(std::unique_ptr<Made> made) : made_(std::move(made)) {}
  std::unique_ptr<Made> made_;
};

// One for each rank.
Result<std::vector<Lane>> TakeLanes(const std::vector<DeviceId>& devices);

}  // namespace tessera::comm
