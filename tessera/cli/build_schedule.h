// On what the ranks' engines are built side by side.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tessera/build/visible_gpus.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/rank_builds.h"

namespace tessera::cli {

// What CUDA_VISIBLE_DEVICES is to be for programs that have a GPU each: the first one, for which an engine is
// built where nothing else is said, and those of its kind. None if that is the only one: then nothing is to
// be said.
std::vector<std::string> GpusToBuildOn(const std::vector<build::VisibleGpu>& gpus);

// `jobs` programs at a time, no more than `ranks` (one at least). 0: for a builder that measures on the GPU
// (TensorRT's) one on each GPU of GpusToBuildOn, since two on one would disturb each other's measurements;
// for another as many as cores. `library` (a file; "": found by its name) may have others beside it that it
// opens by name itself.
BuildSchedule ScheduleFor(const EngineBuilder& builder, size_t ranks, size_t jobs,
                          const std::string& library);

}  // namespace tessera::cli
