#include "tessera/engine/tensorrt/read_ways.h"

#include <algorithm>

#include "tessera/base/cores.h"
#include "tessera/cuda/device.h"

namespace tessera::engine {

ReadWays UsualReadWays() {
  ReadWays ways;
  const int cores_of_a_gpu = UsableCores() / std::max(cuda::DeviceCount(), 1);
  ways.lanes = std::clamp<size_t>(static_cast<size_t>(cores_of_a_gpu / 2), 1, ways.lanes);
  return ways;
}

}  // namespace tessera::engine
