// What a built model asks of the machine that loads it.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::plan {

// The library that was opened, and the GPUs.
struct Runtime {
  std::string library;                            // as Build::library
  std::string version;                            // "11.1.0"
  std::vector<std::string> compute_capabilities;  // of each rank's GPU: "9.0"
  bool any_version = false;  // the server was told that engines may bring the runtime of their own version
};

// Whether `tessera build` is still to make the engines of a model that was sharded for TensorRT: its ranks
// are ONNX files.
bool IsUnbuilt(const Plan& plan);
// Errors: kInvalidArgument naming the file (IsUnbuilt).
Result<void> CheckBuilt(const Plan& plan);

// An engine runs with the library's version that built it and on GPUs of the compute capabilities that it was
// built for; TensorRT itself tells less of it, or crashes. Errors: kUnsupported naming the rank, the got and
// the wanted.
Result<void> CheckRuntime(const Build& build, const Runtime& runtime);

}  // namespace tessera::plan
