// What `tessera build` was told.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/types.h"

namespace tessera::cli {

struct BuildOptions {
  std::string model;
  std::vector<int> capabilities;      // 80 for 8.0; none: of the GPU that is here
  std::vector<std::string> profiles;  // see profile_option.h
  bool no_tf32 = false;
  DType half = DType::kUndefined;  // what FP32 becomes: FP16, BF16, or kUndefined: it stays
  std::string builder;             // see FindEngineBuilder
  std::string library;
  std::string timing_cache;  // a file; none: no
  std::string against;       // the ONNX file that answers the probe; none: the ranks' do
  bool no_probe = false;
  std::optional<double> probe_tolerance;  // else by type
  size_t jobs = 0;                        // ranks at a time; 0: see build_schedule.h
  bool verbose = false;
  bool json = false;

  bool shows_progress() const { return !json && !verbose; }
};

}  // namespace tessera::cli
