// What each rank of an in-process group does once all ranks have posted their buffers.
#pragma once

#include <cstddef>
#include <span>

#include "tessera/comm/communicator.h"

namespace tessera::comm {

// The buffers of one rank's call, as it posted them.
struct Buffers {
  const std::byte* send = nullptr;
  std::byte* recv = nullptr;
};

// One call as all ranks made it.
struct Exchange {
  Collective what;
  size_t block = 0;                // bytes of n elements
  std::span<const Buffers> ranks;  // by rank
};

// Does `me`'s part and writes `me`'s recv only: no rank waits for another afterwards, provided the posted
// sends are copies that nobody writes.
void Pull(const Exchange& exchange, Rank me);

// Does `me`'s share of everybody's part: each rank works on its own slice, reading and writing the ranks' own
// buffers, which may be the same ones. Everything is done once all ranks have returned.
void Share(const Exchange& exchange, Rank me);

}  // namespace tessera::comm
