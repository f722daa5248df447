// Where a model lies in a Triton model repository.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/result.h"

namespace tessera::cli {

// The version directory of a model: the one with the highest number under `model` (REPO/NAME) that holds a
// plan.json or a model.onnx, or `model` itself if it holds one. Errors: kNotFound (no such directory, no
// version in it).
Result<std::filesystem::path> FindVersion(const std::filesystem::path& model);

// Checks that `name` can name a model, which is also a directory's name. Errors: kInvalidArgument.
Result<void> CheckModelName(const std::string& name);

}  // namespace tessera::cli
