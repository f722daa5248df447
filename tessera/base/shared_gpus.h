// Whether several ranks may run on one GPU: for tests of many ranks on a machine with few GPUs only.
#pragma once

#include <cstdlib>
#include <string_view>

namespace tessera {

// NCCL from 2.30 on connects ranks of one GPU when this variable is 1, and hangs or refuses otherwise. It is
// no way to serve: such ranks take the GPU from each other.
inline constexpr const char* kSharedGpusVariable = "NCCL_MULTI_RANK_GPU_ENABLE";

inline bool RanksMayShareGpus() {
  const char* value = std::getenv(kSharedGpusVariable);
  return value != nullptr && std::string_view(value) == "1";
}

}  // namespace tessera
