// Triton's JSON messages as nlohmann::json.
#pragma once

#include <nlohmann/json.hpp>

#include "tessera/base/result.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton {

// The version of the configuration's JSON form that we read and write.
inline constexpr uint32_t kConfigVersion = 1;

// The model's configuration as the server has it: every field of ModelConfig present, defaults included.
Result<nlohmann::json> ModelConfig(TRITONBACKEND_Model* model);

// Replaces the model's configuration; only during ModelInitialize, and if the server asked to complete it.
Result<void> SetModelConfig(TRITONBACKEND_Model* model, const nlohmann::json& config);

// What --backend-config=tensorrt,key=value set, as {"key": "value"}, with the server's own additions.
Result<nlohmann::json> BackendCommandLine(TRITONBACKEND_Backend* backend);

}  // namespace tessera::triton
