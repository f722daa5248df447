// The unsharded model on one device, to compare with.
#pragma once

#include <filesystem>
#include <memory>

#include "tessera/base/result.h"
#include "tessera/cli/runner.h"
#include "tessera/engine/rank_group.h"

namespace tessera::cli {

// Checks that `model` is the file that `plan` was made from. Errors: kNotFound, kInvalidArgument (its sha256
// is another: the line tells both).
Result<void> CheckSource(const plan::Plan& plan, const std::filesystem::path& model);

// Loads `model` (the file that `sharded` was made from) as one rank of `engine`, which must outlive the
// runner. Errors: those of the engine.
Result<std::unique_ptr<Runner>> LoadWholeModel(const plan::Plan& sharded, const std::filesystem::path& model,
                                               engine::Engine& engine);

}  // namespace tessera::cli
