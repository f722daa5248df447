// NCCL's results as tessera's.
#pragma once

#include <nccl.h>

#include "tessera/base/result.h"

namespace tessera::comm {

// kPeerLost for ncclRemoteError, else kInternal; the line names the call, NCCL's text and the communicator's
// last message (`comm` may be null).
tl::unexpected<Error> FailedNccl(ncclResult_t status, const char* call, ncclComm_t comm,
                                 const char* file = __builtin_FILE(), int line = __builtin_LINE());

// ncclInProgress is what a non-blocking communicator's calls return while they go on.
constexpr bool IsFine(ncclResult_t status) {
  return status == ncclSuccess || status == ncclInProgress;
}

}  // namespace tessera::comm

// NCCL_TRY(comm, ncclGroupStart()): returns the error from the enclosing function; ncclInProgress is none.
#define NCCL_TRY(communicator, ...)                                                        \
  do {                                                                                     \
    const ncclResult_t tessera_nccl_status = (__VA_ARGS__);                                \
    if (!::tessera::comm::IsFine(tessera_nccl_status)) {                                   \
      return ::tessera::comm::FailedNccl(tessera_nccl_status, #__VA_ARGS__, communicator); \
    }                                                                                      \
  } while (false)
