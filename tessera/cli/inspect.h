// A plan, told.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "tessera/plan/plan.h"

namespace tessera::cli {

// Tables of ranks, collectives, inputs and outputs.
std::string InspectText(const plan::Plan& plan);

// {"model","engine","strategy","source_sha256","mesh":[{"name","size"}],"ranks":[{"rank","file","weight_bytes",
// "disk_bytes"}],"collectives":[{"op","reduce","axis","type","shape","bytes","name"}],"inputs":[{"name","type","shape",
// "layout"}],"outputs":[..],"predicted_us"}
nlohmann::ordered_json InspectJson(const plan::Plan& plan);

}  // namespace tessera::cli
