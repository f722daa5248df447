// The programs that build one rank's engine each, run side by side.
#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/build/rank_build.h"

namespace tessera::cli {

// Runs `program` for every request, at most `jobs` at a time; files that it exchanges with them go into
// `scratch`, which must exist. `done` is told how many have ended. Ends the others when one fails. Errors,
// with the rank in front: what the rank reports; kInternal (the program crashed, the line says by which
// signal); kCancelled (SIGINT, SIGTERM).
Result<std::vector<build::RankReport>> BuildRanks(const std::filesystem::path& program,
                                                  const std::vector<build::RankRequest>& requests,
                                                  const std::filesystem::path& scratch, size_t jobs,
                                                  const std::function<void(size_t)>& done);

}  // namespace tessera::cli
