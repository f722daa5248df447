// Whether a Triton server runs on this machine.
#pragma once

#include <filesystem>
#include <string>

#include "tessera/base/result.h"

namespace tessera::cli {

// Starts `program` without models on free loopback ports, asks for its version and ends it: "2.51.0". Takes
// about half a second. Errors: kUnavailable (it ends by itself), kDeadline (20 s), kCancelled (SIGINT,
// SIGTERM).
Result<std::string> ProbeTritonVersion(const std::filesystem::path& program);

}  // namespace tessera::cli
