// Outputs that were computed before, by another engine say, in place of the model that gave them.
#pragma once

#include <filesystem>
#include <memory>

#include "tessera/base/result.h"
#include "tessera/cli/runner.h"

namespace tessera::cli {

// A runner for `plan` that gives the arrays of `file` (.npz) whatever it is asked. Errors: kInvalidArgument
// (an output without an array, an array that is no output), those of ReadNpz.
Result<std::unique_ptr<Runner>> ReadRecording(const plan::Plan& plan, const std::filesystem::path& file);

}  // namespace tessera::cli
