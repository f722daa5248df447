// One rank's call of a collective, as the other ranks of an in-process group see it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tessera/comm/communicator.h"
#include "tessera/comm/inproc/exchange.h"

namespace tessera::comm {

struct Call {
  Collective what;
  size_t block = 0;   // bytes of n elements
  std::string wrong;  // why it cannot be made; empty: it can
  Buffers buffers;
};

// The call with these buffers, checked.
Call MakeCall(const Collective& what, Rank rank, int world_size, Bytes send, MutableBytes recv);

// Bytes that a sending rank sends.
size_t SendBytes(const Call& call, int world_size);

// Whether this rank's send is read by anybody.
bool Sends(const Call& call, Rank rank);

// "all_reduce sum of 96 bytes of FP32", "broadcast of 8 bytes of INT64 from root 1"
std::string Describe(const Call& call);

// kInvalidArgument when a rank's call is wrong or two differ; the first such rank by number, so that all
// ranks who look at the same calls say the same.
Result<void> Agree(const std::vector<const Call*>& by_rank);

}  // namespace tessera::comm
