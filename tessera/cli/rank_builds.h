// The programs that build one rank's engine each, run side by side.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/build/rank_build.h"

namespace tessera::cli {

struct BuildSchedule {
  // As many programs run at a time, each with one of these besides this process's environment
  // ("NAME=value"). One at least.
  std::vector<std::vector<std::string>> places;
  // The others wait for rank 0 and start from the timing cache that it wrote: what takes a builder long was
  // measured once then, and all ranks got the same kernels.
  bool first_alone = false;
};

// Runs `program` for every request; files that it exchanges with them go into `scratch`, which must exist.
// `done` is told how many have ended. Ends the others when one fails. Errors, with the rank in front: what
// the rank reports; kInternal (the program crashed, the line says by which signal); kCancelled (SIGINT,
// SIGTERM).
Result<std::vector<build::RankReport>> BuildRanks(const std::filesystem::path& program,
                                                  const std::vector<build::RankRequest>& requests,
                                                  const std::filesystem::path& scratch,
                                                  const BuildSchedule& schedule,
                                                  const std::function<void(size_t)>& done);

}  // namespace tessera::cli
