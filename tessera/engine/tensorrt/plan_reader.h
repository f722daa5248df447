// A rank's plan file, as TensorRT reads it.
#pragma once

#include <NvInferRuntime.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "tessera/base/posix.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/engine/tensorrt/read_lane.h"
#include "tessera/engine/tensorrt/read_ways.h"

namespace tessera::engine {

// What TensorRT wants in memory of the GPU goes there through pinned memory, read by several threads beside
// the copies; what it wants on the host is read to where it is wanted: if that is pinned, once the stream's
// earlier work is done, which may still copy from there. Nothing is mapped: a file that the disk does not
// give, or that becomes shorter, is an error of this model and no SIGBUS for the server. Not thread-safe.
// Source: NvInferRuntime.h, "IStreamReaderV2".
class PlanReader final : public nvinfer1::IStreamReaderV2 {
 public:
  // Errors: kNotFound, kInvalidArgument (a directory, not readable).
  static Result<std::unique_ptr<PlanReader>> Open(const std::filesystem::path& file, DeviceId device,
                                                  const ReadWays& ways);
  ~PlanReader() override;  // waits for the copies
  PlanReader(const PlanReader&) = delete;
  PlanReader& operator=(const PlanReader&) = delete;

  // As IStreamReaderV2 says: the bytes read, 0 at the end, -1 after an error, which Finish tells.
  int64_t read(void* destination, int64_t count, cudaStream_t stream) noexcept override;
  bool seek(int64_t offset, nvinfer1::SeekPosition where) noexcept override;

  // The first bytes of the file, `most` of them or all.
  Result<std::vector<std::byte>> Head(size_t most) const;
  // Waits until all that was read is where it was wanted; the first error there was.
  Result<void> Finish();

  struct Totals {
    int reads = 0;
    size_t to_host = 0;  // bytes
    size_t to_device = 0;
    std::chrono::nanoseconds time{0};  // in read()
  };
  const Totals& totals() const { return totals_; }

 private:
  struct Lane {
    UniqueFd fd;
    std::unique_ptr<ReadLane> to_device;  // null: not used yet
  };
  PlanReader(std::filesystem::path file, DeviceId device, const ReadWays& ways, uint64_t size,
             std::vector<Lane> lanes)
      : file_(std::move(file)), device_(device), ways_(ways), size_(size), lanes_(std::move(lanes)) {}

  Result<void> ReadTo(MutableBytes destination, cudaStream_t stream);
  Result<void> InParts(MutableBytes destination,
                       const std::function<Result<void>(Lane&, uint64_t offset, MutableBytes)>& part);
  Result<void> AwaitAll(cudaStream_t stream) const;
  Result<void> CopyPart(Lane& lane, uint64_t offset, MutableBytes to, cudaStream_t stream) const;

  const std::filesystem::path file_;
  const DeviceId device_;
  const ReadWays ways_;
  const uint64_t size_;
  std::vector<Lane> lanes_;
  uint64_t at_ = 0;
  Totals totals_;
  std::optional<Error> failure_;
};

}  // namespace tessera::engine
