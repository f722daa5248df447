// How a plan file is read.
#pragma once

#include <cstddef>

namespace tessera::engine {

struct ReadWays {
  size_t lanes = 8;                     // threads that share what is asked for at once, the caller included
  size_t piece = size_t{1} << 20;       // bytes that one of them reads and copies at a time
  size_t lane_least = size_t{8} << 20;  // bytes for which one more thread pays off
};

// As many threads as pay off on this machine, where every GPU may load at the same time.
ReadWays UsualReadWays();

}  // namespace tessera::engine
