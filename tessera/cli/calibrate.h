// Measures what shard::Machine holds, with the engine that will run the plans.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "tessera/base/result.h"
#include "tessera/shard/machine.h"

namespace tessera::cli {

struct CalibrateOptions {
  std::string name;          // of the machine
  int cores = 1;             // that the ranks share
  int ranks = 4;             // up to which number
  int threads_per_rank = 0;  // 0 = the cores shared out, as the engine does
  double seconds = 10;       // for each number of ranks
};

// CPU ranks. Every number of ranks up to 4 and every power of two up to `ranks` are measured, each with
// models of its own that are stepped in turns, so that what disturbs the machine disturbs them alike; a time
// is a median. `progress` is told what is measured and the fraction done. Errors: those of the engine,
// kUnavailable (disk).
Result<shard::Machine> Calibrate(const CalibrateOptions& options,
                                 const std::function<void(std::string_view, double)>& progress);

}  // namespace tessera::cli
