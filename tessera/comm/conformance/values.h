// Test data and the answers to it, in double and by definition: slow, and in no way like an adapter does it.
#pragma once

#include <vector>

#include "tessera/comm/communicator.h"

namespace tessera::comm::conformance {

// Elements as they lie in memory. Requires values that the type holds exactly.
std::vector<std::byte> Encode(DType type, const std::vector<double>& values);
std::vector<double> Decode(DType type, Bytes bytes);

// What `rank` sends: `count` values that the type holds exactly, other ones for another seed, rank or place.
std::vector<double> Input(DType type, unsigned seed, Rank rank, size_t count);

// Elements that `rank` sends and gets for n elements; 0 where its buffer is not used.
size_t SendCount(const Collective& what, Rank rank, int world_size, size_t n);
size_t RecvCount(const Collective& what, Rank rank, int world_size, size_t n);

struct Answer {
  double value = 0;
  double tolerance = 0;  // |got - value| must not pass this: rounding in any order
};

// What `rank` gets when each sends its Input of `seed`; RecvCount of them.
std::vector<Answer> Expected(const Collective& what, unsigned seed, Rank rank, int world_size, size_t n);

}  // namespace tessera::comm::conformance
