// Ranks of one process that talk through its memory.
#pragma once

#include <memory>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/comm/communicator.h"

namespace tessera::comm {

// Makes a group and returns its ends, by rank; hand each to the thread of its rank. Memory is kHost. The ends
// share the group, so they may be destroyed in any order; destroying one aborts the group (kPeerLost).
//
// A rank that waits sleeps: ranks may outnumber cores. A call that a rank made wrongly, or that differs
// between ranks, ends with kInvalidArgument on all of them and leaves the group usable. Past its deadline, or
// aborted, Run returns as soon as no other rank touches its buffers any more, which takes no longer than
// copying them. avg of kBool is 1 where all are 1; other integers wrap around, avg is that of the exact sum
// for types below 64 bits. Errors: kInvalidArgument (world_size < 1).
Result<std::vector<std::unique_ptr<Communicator>>> CreateInprocGroup(int world_size);

}  // namespace tessera::comm
