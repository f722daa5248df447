// One collective put to NCCL.
#pragma once

#include <nccl.h>

#include "tessera/base/result.h"
#include "tessera/comm/communicator.h"

namespace tessera::comm {

// NCCL's type for ours; kInvalidArgument for a type that no collective takes. kBool travels as a byte.
Result<ncclDataType_t> NcclType(DType type);

// NCCL's reduction. On kBool sum is logical or, prod and avg are logical and: maximum and minimum of bytes
// that are 0 or 1.
Result<ncclRedOp_t> NcclReduction(ReduceOp reduce, DType type);

// Issues `what` for one rank to `stream`; the buffers are valid as comm::Validate demands and lie on its
// device. For all_to_all they must not be the same. Returns NCCL's status: ncclInProgress with a non-blocking
// communicator.
Result<ncclResult_t> IssueCollective(const Collective& what, Rank rank, int world_size, Bytes send,
                                     MutableBytes recv, ncclComm_t comm, cudaStream_t stream);

}  // namespace tessera::comm
