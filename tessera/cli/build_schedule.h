// On what the ranks' engines are built side by side.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/gpu_probe.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/rank_builds.h"

namespace tessera::cli {

// What CUDA_VISIBLE_DEVICES is to be for a program that has one of this machine's GPUs to itself, an entry
// for each GPU that this process sees. `visible`: that variable here, null if it is not set. None where GPUs
// are of several compute capabilities (an engine is for one) or there are none.
std::vector<std::string> GpusToBuildOn(const std::vector<Gpu>& gpus, const char* visible);

// `jobs` programs at a time. 0: for a builder that measures on the GPU (TensorRT's) one on each GPU of this
// machine, since two on one would disturb each other's measurements; for another as many as cores. `library`
// (a file; "": found by its name) may have others beside it that it opens by name itself.
BuildSchedule ScheduleFor(const EngineBuilder& builder, size_t jobs, const std::string& library);

}  // namespace tessera::cli
