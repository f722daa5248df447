// A model that was sharded for TensorRT, as it was before `tessera build`.
#pragma once

#include <filesystem>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

// `plan`, of the version directory `version`, with the ONNX files that the engines were built from in their
// place; one that was not built comes back as it is. Errors: those of reading the ONNX files.
Result<plan::Plan> Unbuilt(plan::Plan plan, const std::filesystem::path& version);

}  // namespace tessera::cli
