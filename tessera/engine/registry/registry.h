// The engines that this build has, by name.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/engine/rank_group.h"
#include "tessera/engine/replication_way.h"

namespace tessera::engine {

struct EngineOptions {
  int threads_per_rank = 0;         // of ranks on the CPU; 0 = the cores shared out
  std::vector<DeviceId> devices{};  // of ranks on GPUs, by rank; empty = 0, 1, ..
  bool cuda_graphs = true;          // of ranks on GPUs: replay steps where the engines can be captured
  // Of ranks on GPUs: longest time of a step with which loading warms them up (10 s at least).
  std::chrono::milliseconds step_limit{60'000};
  ReplicationWay replication = ReplicationWay::kAuto;  // of ranks on GPUs
  // Of TensorRT's: see TensorRtOptions.
  std::vector<int> profiles{};
  std::vector<int> model_profiles{};
  bool static_contexts = false;
  bool least_priority = false;
  std::vector<std::string> plugins{};
  bool version_compatible = false;
  bool spare_connections = true;
  bool map_plans = false;
  int steps_in_flight = 2;  // of ranks on GPUs: steps that may be under way at the same time
};

// "openvino" or "tensorrt", as Plan::engine says. Errors: kUnsupported (known, but not in this build: the
// line names the switch), kInvalidArgument (not known: the line lists the names).
Result<std::unique_ptr<Engine>> MakeEngine(std::string_view name, const EngineOptions& options = {});

// Begins to connect GPUs for a TensorRT model of that many ranks, rank 0 on the first: see ConnectGpus of
// engine/tensorrt. Errors: kUnsupported (not in this build), kUnavailable (no such GPU).
Result<void> ConnectAhead(const std::vector<DeviceId>& gpus);

// Of a GPU: see gpu_facts.h of engine/tensorrt. Errors: kUnsupported (a build without TensorRT), kUnavailable
// (no such GPU).
Result<std::string> ComputeCapability(DeviceId gpu);
Result<std::string> GpuUuid(DeviceId gpu);
Result<double> GpuMemoryInUse(DeviceId gpu);

// Of the library that TensorRT's engines would be run with: "11.1.0". Errors: kUnsupported (a build without
// TensorRT, another major version than it was built for), kUnavailable (not installed).
Result<std::string> TensorRtVersion();

// Whether this build runs TensorRT's engines on several GPUs. Errors: kUnsupported, naming the switch.
Result<void> CheckSeveralGpus();

}  // namespace tessera::engine
