// The port through which the ranks of one model talk: the eight collectives of NCCL, with a deadline and an
// abort.
#pragma once

#include "tessera/base/collective.h"
#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::comm {

// What is done, the same on every rank of a call. W = world size, n = elements that `send` holds:
//   op               send -> recv (elements)  on rank r
//   all_reduce       n -> n           reduction over all ranks, on every rank
//   all_gather       n -> W*n         the ranks' blocks in rank order, on every rank
//   broadcast        n -> n           root's send, on every rank
//   reduce           n -> n           reduction; recv is written on root only
//   reduce_scatter   W*n -> n         block r of the reduction
//   all_to_all       W*n -> W*n       block r of every rank's send, in rank order
//   gather           n -> W*n         the ranks' blocks in rank order; recv is written on root only
//   scatter          W*n -> n         block r of root's send; send is read on root only
struct Collective {
  CollectiveOp op = CollectiveOp::kAllReduce;
  ReduceOp reduce = ReduceOp::kNone;  // kNone exactly when !Reduces(op)
  Rank root{0};                       // of the rooted ops; ignored by the others
  DType type = DType::kFloat32;       // kFloat32 kFloat16 kBFloat16 kInt8 kInt32 kInt64 kBool
};

// One rank's end of a group. Each rank's calls come from one thread at a time, in the same order on all
// ranks. Source: NCCL user guide, "Collective Communication Functions".
class Communicator {
 public:
  virtual ~Communicator() = default;

  virtual Rank rank() const = 0;
  virtual int world_size() const = 0;

  // Where `send` and `recv` of Run must lie: kHost, or kDevice for NCCL.
  virtual MemoryKind memory() const = 0;

  // Runs one collective and blocks until this rank's part is done. `send` and `recv` may be the same buffer
  // where they have the same size, and must not overlap otherwise. Not used on this rank: may be empty. sum
  // and prod of kBool are logical or and and (avg too: and); avg of integers rounds toward zero; sum, prod
  // and avg of 16-bit floats are accumulated in f32 in rank order 0 .. W-1 and rounded once. Every rank gets
  // the same bits. Errors: kInvalidArgument (sizes, type, reduction; the group stays usable only when every
  // rank made the same mistake), kDeadline (aborts the group), kPeerLost or the reason given to Abort. After
  // any error but kInvalidArgument the group is unusable.
  virtual Result<void> Run(const Collective& what, Bytes send, MutableBytes recv, Deadline deadline) = 0;

  // Wakes every rank out of Run and makes the group unusable. Any thread, any time; the first reason stays.
  virtual void Abort(const Error& reason) noexcept = 0;
};

// Checks of `what` and the sizes that every adapter needs; kInvalidArgument with a line that names the
// misfit.
Result<void> Validate(const Collective& what, Rank rank, int world_size, Bytes send, MutableBytes recv);

}  // namespace tessera::comm
