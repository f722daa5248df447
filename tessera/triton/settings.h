// What the configuration tells the backend, apart from inputs and outputs.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"
#include "tessera/engine/replication_way.h"
#include "tessera/triton/command_line.h"
#include "tessera/triton/optimization.h"

namespace tessera::triton {

struct Settings {
  int64_t max_batch_size = 0;                         // 0: requests have no batch dimension of Triton's
  std::string model_file;                             // default_model_filename; "" = not said
  std::map<std::string, std::string> cc_model_files;  // cc_model_filenames: by compute capability, "9.0"
  // Parameters enable_multi_device, multi_device_gpus ("1,0": rank 0 on GPU 1; empty = not said) and
  // multi_device_per_rank_engines (model.plan.rank0, ..; else every rank has model.plan).
  std::optional<bool> multi_device;
  std::vector<DeviceId> gpus;
  std::optional<bool> per_rank_engines;
  // Parameter cuda_graphs, else optimization.cuda.graphs: replay steps on GPUs from CUDA graphs.
  bool cuda_graphs = true;
  // Parameter replication: auto, probe, copies or gather.
  engine::ReplicationWay replication = engine::ReplicationWay::kAuto;
  // Parameter execution_context_allocation_strategy is STATIC: each profile of an engine has activation
  // memory of its own, as large as the largest needs. Else they share it.
  bool static_contexts = false;
  Optimization optimization;
  // Parameter steps_in_flight: steps on GPUs that may be under way at the same time, so that one's data
  // travels while another computes.
  int steps_in_flight = 2;
  // Parameter threads_per_rank: of ranks on the CPU; 0 = the cores shared out over the model's ranks. One
  // serves tiny models best (no hand-over to a thread pool), and leaves cores to other instances and models.
  int threads_per_rank = 0;
  // Parameter request_timeout_ms: longest time of one step. After it the requests get UNAVAILABLE and the
  // ranks are loaded anew, so a client's own timeout is not taken for it: one hasty client would stop
  // everybody's model.
  std::chrono::milliseconds step_limit{60'000};
  // Parameter load_timeout_ms: longest time that loading the ranks may take.
  std::chrono::milliseconds load_limit{600'000};
  bool probe = true;  // parameter probe: try the ranks whenever they are loaded, see exec/probe.h
  // Of the first instance of KIND_GPU, if there is one, else of the first instance: how the model is loaded
  // first. `instance_profiles` are the optimization profiles that it may use; empty: all.
  std::optional<DeviceId> instance_gpu;
  std::vector<int> instance_profiles;
  std::vector<int> model_profiles;          // that instances of any group may use; empty: all
  std::string first_instance;               // as the server names it
  std::vector<std::string> without_effect;  // a line for each key that is set and has none, with the reason
  std::vector<std::string> plugins;         // of the command line, as `version_compatible`
  bool version_compatible = false;
  bool spare_connections = true;
  bool map_plans = false;
  std::map<int, double> memory_limits;  // by GPU
};

// The numbers of optimization profiles that instance_group.profile names. Errors: kInvalidArgument.
Result<std::vector<int>> ReadProfiles(const std::vector<std::string>& names);

// Reads the server's JSON form of ModelConfig. Errors: kInvalidArgument (a parameter's value), kUnsupported
// (an instance group on devices that are not served).
Result<Settings> ReadSettings(const nlohmann::json& config, const CommandLine& options = {});

}  // namespace tessera::triton
