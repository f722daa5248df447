// Whether the batches that config.pbtxt allows are those that the engines were built for.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/plan/plan.h"

namespace tessera::cli {

// A line for whom built the model in the version directory `version`: config.pbtxt beside it allows more rows
// than any profile of plan.build takes, with which a server refuses the model, or less, beyond which it
// refuses requests. "": neither, or it is not batched.
std::string BatchNote(const plan::Plan& plan, const std::filesystem::path& version);

}  // namespace tessera::cli
