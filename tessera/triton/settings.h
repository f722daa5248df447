// What the configuration tells the backend, apart from inputs and outputs.
#pragma once

#include <chrono>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::triton {

struct Settings {
  int64_t max_batch_size = 0;  // 0: requests have no batch dimension of Triton's
  std::string model_file;      // default_model_filename; "" = not said
  // Parameters enable_multi_device, multi_device_gpus ("1,0": rank 0 on GPU 1; empty = not said) and
  // multi_device_per_rank_engines (model.plan.rank0, ..; else every rank has model.plan).
  std::optional<bool> multi_device;
  std::vector<DeviceId> gpus;
  std::optional<bool> per_rank_engines;
  bool cuda_graphs = true;  // parameter cuda_graphs: replay steps on GPUs from CUDA graphs
  // Parameter threads_per_rank: of ranks on the CPU; 0 = the cores shared out over the model's ranks. One
  // serves tiny models best (no hand-over to a thread pool), and leaves cores to other instances and models.
  int threads_per_rank = 0;
  // Parameter request_timeout_ms: longest time of one step. After it the requests get UNAVAILABLE and the
  // ranks are loaded anew, so a client's own timeout is not taken for it: one hasty client would stop
  // everybody's model.
  std::chrono::milliseconds step_limit{60'000};
  // Parameter load_timeout_ms: longest time that loading the ranks may take.
  std::chrono::milliseconds load_limit{600'000};
  // Of the first instance of KIND_GPU, if there is one: where the model is loaded first.
  std::optional<DeviceId> instance_gpu;
};

// The number that `text`, the value of option `name`, says. Errors: kInvalidArgument.
Result<int64_t> PositiveNumber(const std::string& name, const std::string& text);

// Reads the server's JSON form of ModelConfig. Errors: kInvalidArgument (a parameter's value).
Result<Settings> ReadSettings(const nlohmann::json& config);

}  // namespace tessera::triton
