#include "tessera/comm/nccl/issue.h"

#include "tessera/comm/nccl/status.h"

namespace tessera::comm {
namespace {

struct Call {
  size_t send_count;
  size_t recv_count;
  ncclDataType_t type;
  ncclRedOp_t reduction;
  int rank;
  int world;
  int root;
  Bytes send;
  MutableBytes recv;
  ncclComm_t comm;
  cudaStream_t stream;

  size_t BlockBytes(size_t bytes) const { return bytes / static_cast<size_t>(world); }
};

ncclResult_t First(ncclResult_t one, ncclResult_t other) {
  return IsFine(one) ? other : one;
}

// Blocks of `send` to every rank and from every rank to `recv`; a null side does not take part.
ncclResult_t Exchange(const Call& c, bool sends_to_all, bool receives_from_all, bool sends_to_root,
                      bool receives_from_root) {
  ncclResult_t status = ncclGroupStart();
  if (!IsFine(status)) return status;
  const size_t send_block = c.BlockBytes(c.send.size());
  const size_t recv_block = c.BlockBytes(c.recv.size());
  for (int peer = 0; peer < c.world && IsFine(status); ++peer) {
    const auto at = static_cast<size_t>(peer);
    if (sends_to_all) {
      status = First(status,
                     ncclSend(c.send.data() + at * send_block, send_block, ncclInt8, peer, c.comm, c.stream));
    }
    if (receives_from_all) {
      status = First(status,
                     ncclRecv(c.recv.data() + at * recv_block, recv_block, ncclInt8, peer, c.comm, c.stream));
    }
  }
  if (sends_to_root) {
    status = First(status, ncclSend(c.send.data(), c.send.size(), ncclInt8, c.root, c.comm, c.stream));
  }
  if (receives_from_root) {
    status = First(status, ncclRecv(c.recv.data(), c.recv.size(), ncclInt8, c.root, c.comm, c.stream));
  }
  return First(status, ncclGroupEnd());
}

ncclResult_t Issue(CollectiveOp op, const Call& c) {
  const bool is_root = c.rank == c.root;
  switch (op) {
    case CollectiveOp::kAllReduce:
      return ncclAllReduce(c.send.data(), c.recv.data(), c.send_count, c.type, c.reduction, c.comm, c.stream);
    case CollectiveOp::kAllGather:
      return ncclAllGather(c.send.data(), c.recv.data(), c.send_count, c.type, c.comm, c.stream);
    case CollectiveOp::kBroadcast:
      return ncclBroadcast(c.send.data(), c.recv.data(), c.recv_count, c.type, c.root, c.comm, c.stream);
    case CollectiveOp::kReduce:
      return ncclReduce(c.send.data(), c.recv.data(), c.send_count, c.type, c.reduction, c.root, c.comm,
                        c.stream);
    case CollectiveOp::kReduceScatter:
      return ncclReduceScatter(c.send.data(), c.recv.data(), c.recv_count, c.type, c.reduction, c.comm,
                               c.stream);
    case CollectiveOp::kAllToAll:
      return Exchange(c, true, true, false, false);
    case CollectiveOp::kGather:
      return Exchange(c, false, is_root, true, false);
    case CollectiveOp::kScatter:
      return Exchange(c, is_root, false, false, true);
  }
  return ncclInvalidUsage;
}

}  // namespace

Result<ncclDataType_t> NcclType(DType type) {
  switch (type) {
    case DType::kFloat32:
      return ncclFloat32;
    case DType::kFloat16:
      return ncclFloat16;
    case DType::kBFloat16:
      return ncclBfloat16;
    case DType::kInt8:
      return ncclInt8;
    case DType::kInt32:
      return ncclInt32;
    case DType::kInt64:
      return ncclInt64;
    case DType::kBool:
      return ncclUint8;
    default:
      return Fail(Code::kInvalidArgument, "no collective takes {}", DTypeName(type));
  }
}

Result<ncclRedOp_t> NcclReduction(ReduceOp reduce, DType type) {
  const bool logical = type == DType::kBool;
  switch (reduce) {
    case ReduceOp::kNone:
      return ncclSum;  // not looked at
    case ReduceOp::kSum:
      return logical ? ncclMax : ncclSum;
    case ReduceOp::kProd:
      return logical ? ncclMin : ncclProd;
    case ReduceOp::kMax:
      return ncclMax;
    case ReduceOp::kMin:
      return ncclMin;
    case ReduceOp::kAvg:
      return logical ? ncclMin : ncclAvg;
  }
  return Fail(Code::kInvalidArgument, "unknown reduction {}", static_cast<int>(reduce));
}

Result<ncclResult_t> IssueCollective(const Collective& what, Rank rank, int world_size, Bytes send,
                                     MutableBytes recv, ncclComm_t comm, cudaStream_t stream) {
  TRY_ASSIGN(ncclDataType_t type, NcclType(what.type));
  TRY_ASSIGN(ncclRedOp_t reduction, NcclReduction(what.reduce, what.type));
  const size_t element = static_cast<size_t>(BitsOf(what.type)) / 8;
  const Call call{send.size() / element,
                  recv.size() / element,
                  type,
                  reduction,
                  rank.value(),
                  world_size,
                  what.root.value(),
                  send,
                  recv,
                  comm,
                  stream};
  const ncclResult_t status = Issue(what.op, call);
  if (status != ncclSuccess && status != ncclInProgress)
    return FailedNccl(status, Name(what.op).data(), comm);
  return status;
}

}  // namespace tessera::comm
