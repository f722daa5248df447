// Which files of a version directory make a model.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/triton/settings.h"

namespace tessera::triton {

// "tensorrt" if the settings or the files speak of engines, else "openvino".
std::string EngineOfFiles(const std::filesystem::path& directory, const Settings& settings);

// Whether the settings leave a plan.json its files. Errors: kInvalidArgument (they name others).
Result<void> CheckPlanNamesFiles(const Settings& settings);

// Of a GPU: "9.0".
using CapabilityOf = std::function<Result<std::string>(DeviceId)>;

// The file of each rank, all of them there. `gpu` is that of an instance of KIND_GPU; `capability` is asked
// only where files are named by it. Errors: kUnavailable (a file that is not there), kInvalidArgument
// (parameters that do not go with the files), those of `capability`.
Result<std::vector<std::string>> FilesOfRanks(const std::filesystem::path& directory,
                                              const Settings& settings, std::optional<DeviceId> gpu,
                                              const CapabilityOf& capability);

}  // namespace tessera::triton
