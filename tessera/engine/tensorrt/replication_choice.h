// Which way whole inputs take to the GPUs of a model, and from which size on.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::engine {

// Bytes from which on an input that all ranks need goes to them in slices and an all-gather; SIZE_MAX: never.
struct GatherSizes {
  size_t from_host = SIZE_MAX;  // or memory of a GPU that no rank is on
  size_t from_gpu = SIZE_MAX;   // memory of a rank's own GPU
};

// Where host memory goes in slices from `from_host` on. A rank whose GPU has the input needs no copy, and the
// copies to the others can run while the step before computes, which an all-gather inside a step cannot. To
// one other rank no link carries more than it would in slices; to more of them all leave over one GPU's
// links: NVLink carries three copies, of 16 MB in about 110 us.
GatherSizes GatherSizesFor(size_t from_host, size_t ranks, bool linked);

// What a probe found for tensors of `bytes`, with the right content on every GPU.
struct ReplicationTime {
  size_t bytes = 0;
  std::chrono::nanoseconds copies{};  // a copy to each GPU
  std::chrono::nanoseconds gather{};  // slices and an all-gather
};

// The smallest probed size from which on slices and an all-gather are the faster way at every probed size, by
// a tenth: copies need nothing of the GPUs, and memory that lies on them is used in place. SIZE_MAX: at none.
// `times` ascend by size.
size_t FasterGatheredFrom(const std::vector<ReplicationTime>& times);

// "128 KB 21 us copied, 34 gathered; 1 MB 90, 61".
std::string Described(const std::vector<ReplicationTime>& times);
// "128 KB", "3 MB", "1000 bytes".
std::string SizeText(size_t bytes);

// The first pair of `devices`, in their order, that `linked` denies or does not know (an error); none: all
// are linked.
using Linked = std::function<Result<bool>(DeviceId one, DeviceId other)>;
std::optional<std::pair<DeviceId, DeviceId>> FirstNotLinked(const std::vector<DeviceId>& devices,
                                                            const Linked& linked);

}  // namespace tessera::engine
