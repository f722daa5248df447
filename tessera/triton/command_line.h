// What --backend-config=tensorrt,KEY=VALUE says, for all models of the backend.
#pragma once

#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::triton {

struct CommandLine {
  int64_t default_batch = 64;        // default-max-batch: rows of a step where config.pbtxt does not say
  std::vector<std::string> plugins;  // libraries with TensorRT plugins
  bool version_compatible = false;   // engines may bring the runtime that built them: code that is trusted
  // multi-device-connect: lists of GPUs, "0,1;2,3", as in multi_device_gpus, that are connected when the
  // backend begins, so that the first model on them does not wait for it.
  std::vector<std::vector<DeviceId>> connect;
  // The server's --model-load-gpu-limit: the part of a GPU's memory, by its number, with more of which in use
  // nothing is loaded there. The server itself looks at models of KIND_GPU only.
  std::map<int, double> memory_limits;
  bool spare_connections = true;            // multi-device-spare: see engine::EngineOptions
  bool map_plans = false;                   // map-plans: see engine::EngineOptions
  std::vector<std::string> without_effect;  // a line for each key that is set and has none, with the reason
};

// `options` as {"key": "value"}; the server's own keys are among them. Errors: kInvalidArgument (a value).
Result<CommandLine> ReadCommandLine(const nlohmann::json& options);

}  // namespace tessera::triton
