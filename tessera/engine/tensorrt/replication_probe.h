// Both ways of bringing whole inputs to a model's GPUs, tried and timed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/engine/tensorrt/peers.h"
#include "tessera/engine/tensorrt/rank_threads.h"
#include "tessera/engine/tensorrt/replication_choice.h"

namespace tessera::engine {

// For tests: changes what arrived on `rank`.
using TamperWithInput = std::function<void(Rank rank, MutableBytes arrived)>;

// Brings tensors of a few sizes from pinned memory to `devices`, the GPUs of `peers` and `threads`, as a
// captured step does; ascending by size, fewer where the machine is so slow that kReplicationProbeLimit is
// over. Compares what arrived on every rank first. Keeps other models off these GPUs meanwhile, and blocks
// until no step is half issued: not within a turn of DeviceOrder. An error aborts `peers`. Errors:
// kUnavailable (wrong content: the line names the GPU), kDeadline, those of CUDA and NCCL.
Result<std::vector<ReplicationTime>> ProbeReplication(const std::shared_ptr<Peers>& peers,
                                                      RankThreads& threads,
                                                      const std::vector<DeviceId>& devices, Deadline deadline,
                                                      const TamperWithInput& tamper = {});

inline constexpr std::chrono::milliseconds kReplicationProbeLimit{100};

}  // namespace tessera::engine
