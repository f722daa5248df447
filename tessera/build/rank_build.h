// What `tessera build` and the program that builds one rank tell each other, through two files. A program of
// its own for each rank: TensorRT's parser ends the process on some models, and two of its libraries
// (TensorRT and TensorRT-RTX), whose classes have the same names, never meet in one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/plan/engine_layers.h"
#include "tessera/plan/plan.h"

namespace tessera::build {

struct RankRequest {
  std::filesystem::path model;   // the rank's ONNX file
  std::filesystem::path engine;  // to write
  // The library to open: the first of these that the loader finds. The parser lies beside it, or has its
  // usual name.
  std::vector<std::string> libraries;
  std::vector<int> compute_capabilities;  // 80 = 8.0; empty: that of this machine's first GPU
  bool tf32 = true;
  std::vector<plan::Profile> profiles;      // sizes of what the rank takes
  std::filesystem::path timing_cache;       // to start from, if the library takes it; "" = none
  std::filesystem::path next_timing_cache;  // to write; "" = none
  bool verbose = false;                     // the library's messages go to standard error
};

struct RankReport {
  std::string error;                              // one line: why there is no engine; "" = there is
  std::string version;                            // of the library, "1.7.1"
  std::vector<std::string> compute_capabilities;  // "8.0"
  std::vector<std::string> network;               // names of the collectives that were parsed, in their order
  std::vector<plan::EngineCollective> engine;     // those of the engine, in its order
  bool layers_listed = false;  // false: this library's builder lists no layers, `engine` says nothing
  // One line: why the library did not take the request's timing cache, or wrote none; "" = all went well.
  std::string timing_cache_error;
};

// Errors of reading: kNotFound, kInternal (not what the other side writes).
Result<void> WriteRequest(const RankRequest& request, const std::filesystem::path& file);
Result<RankRequest> ReadRequest(const std::filesystem::path& file);
Result<void> WriteReport(const RankReport& report, const std::filesystem::path& file);
Result<RankReport> ReadReport(const std::filesystem::path& file);

}  // namespace tessera::build
