// How TensorRT models run.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/types.h"
#include "tessera/engine/replication_way.h"
#include "tessera/engine/tensorrt/read_ways.h"

namespace tessera::engine {

struct TensorRtOptions {
  std::vector<DeviceId> devices;  // of rank 0, 1, ..; empty: GPUs 0 .. world size - 1
  std::filesystem::path library;  // TensorRT's; empty: see TensorRtLibrary::Open
  bool cuda_graphs = true;        // replay steps from CUDA graphs where the engine can be captured
  // Longest time of a step that warms the model up while it is loaded, but 10 s at least: first runs load
  // kernels. A rank that hangs then keeps other models from its GPUs no longer than that.
  std::chrono::milliseconds step_limit{60'000};
  size_t max_plans = 64;  // input shapes whose graphs are kept; the least recently used goes first
  ReplicationWay replication = ReplicationWay::kAuto;
  // Where tensors go in slices and no probe tells from which size on: from this one.
  size_t gather_from = size_t{512} << 10;
  // Threads that launch ranks' graphs beside the caller; not set: as many as pay off
  // (LaunchTeam::HelpersFor).
  std::optional<int> launch_helpers;
  std::vector<int> profiles;        // of each engine, that may be used; empty: all
  std::vector<int> model_profiles;  // that RankGroup::largest_inputs looks at; empty: all
  // Each optimisation profile has activation memory of its own; else a rank's profiles share one block.
  bool static_contexts = false;
  bool least_priority = false;       // after other streams' work on the same GPU
  std::vector<std::string> plugins;  // libraries to load before the first engine: see LoadPlugins
  // Behind a load on several GPUs connect them once more, on a thread, for the next model that is loaded on
  // them beside this one.
  bool spare_connections = true;
  bool version_compatible = false;  // engines may bring code of their own
  // TensorRT finds a plan file in memory, mapped, instead of asking a PlanReader for it.
  bool map_plans = false;
  std::optional<ReadWays> read_ways;  // not set: as pays off, see UsualReadWays
  // Steps that may be issued while others run, these included, at most kMostStepsInFlight. 1: none beside
  // another.
  int steps_in_flight = 2;
};

}  // namespace tessera::engine
