// Puts the files that `tessera build` made in their places.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

// Size and sha256 of `directory`/`file`. Errors: kNotFound, kUnavailable.
Result<plan::Artifact> ArtifactOf(const std::filesystem::path& directory, const std::string& file);

// Moves the files of `scratch` that `built` names into `version`, a directory of the same file system, and
// makes `built` its plan.json; a probe.bin that it does not name goes. Until all are there plan.json is
// `sharded`, the plan of the ONNX files: whenever this ends (an error, a signal, a crash of the machine), the
// files beside plan.json are those that it tells of, and the model can be built again. What needs room on the
// disk is written before anything is replaced. Errors: kInvalidArgument (a plan that is not valid),
// kUnavailable.
Result<void> PutInPlace(const plan::Plan& built, plan::Plan sharded, const std::filesystem::path& scratch,
                        const std::filesystem::path& version);

}  // namespace tessera::cli
