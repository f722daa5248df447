// The GPUs that tests and benchmarks use.
#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "tessera/base/types.h"

namespace tessera::gputest {

// $TESSERA_GPUS ("0,1"), else all of this machine's. One GPU may stand there several times ("0,0"): its ranks
// share it, which shows that they are right and says nothing about their speed. NCCL (>= 2.30) wants
// NCCL_MULTI_RANK_GPU_ENABLE=1 for that.
const std::vector<DeviceId>& Gpus();

// The first `count` GPUs that $TESSERA_GPUS lists, else of the machine; asks no driver, so that CUDA is not
// started.
std::vector<DeviceId> ListedGpus(int count);

// The first `count` of them, and those at these places of the list, which must be there.
std::vector<DeviceId> FirstGpus(int count);
std::vector<DeviceId> GpusAt(std::initializer_list<size_t> places);

// They are as many, and all different.
bool HasOwnGpus(int count);

// For a row of a table: "4", or "4 on shared GPUs".
std::string WorldLabel(int world);

}  // namespace tessera::gputest
