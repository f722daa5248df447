// The way of a model's whole inputs to its GPUs, decided at load.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/engine/tensorrt/options.h"
#include "tessera/engine/tensorrt/peers.h"
#include "tessera/engine/tensorrt/rank_threads.h"
#include "tessera/engine/tensorrt/replication_choice.h"

namespace tessera::engine {

// From which sizes on inputs that all ranks need travel in slices. Says in the log what was chosen and why.
// Probes once a process for each list of GPUs, if the way is to be probed. Errors: those of ProbeReplication.
Result<GatherSizes> ChooseGatherSizes(const TensorRtOptions& options, std::string_view model,
                                      const std::shared_ptr<Peers>& peers, RankThreads& threads,
                                      const std::vector<DeviceId>& devices, Deadline deadline);

}  // namespace tessera::engine
