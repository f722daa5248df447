#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>

#include "tessera/comm/communicator.h"

namespace tessera::comm {
namespace {

constexpr std::array kTypes{DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                            DType::kInt32,   DType::kInt64,   DType::kBool};

// One buffer of the call as this rank uses it.
struct Use {
  std::string_view name;
  Bytes bytes;
  bool used = true;
  size_t blocks = 1;  // how many times n elements it holds
};

Use SendOf(const Collective& what, Rank rank, size_t world, Bytes send) {
  Use use{"send", send};
  use.used = (what.op != CollectiveOp::kBroadcast && what.op != CollectiveOp::kScatter) || rank == what.root;
  const bool all = what.op == CollectiveOp::kReduceScatter || what.op == CollectiveOp::kAllToAll ||
                   what.op == CollectiveOp::kScatter;
  if (all) use.blocks = world;
  return use;
}

Use RecvOf(const Collective& what, Rank rank, size_t world, Bytes recv) {
  Use use{"recv", recv};
  use.used = (what.op != CollectiveOp::kReduce && what.op != CollectiveOp::kGather) || rank == what.root;
  const bool all = what.op == CollectiveOp::kAllGather || what.op == CollectiveOp::kAllToAll ||
                   what.op == CollectiveOp::kGather;
  if (all) use.blocks = world;
  return use;
}

Result<void> ValidateKind(const Collective& what, Rank rank, int world_size) {
  if (world_size < 1) return Fail(Code::kInvalidArgument, "world size is {}, want at least 1", world_size);
  if (rank < Rank{0} || rank >= Rank{world_size}) {
    return Fail(Code::kInvalidArgument, "rank is {}, want 0 .. {}", rank.value(), world_size - 1);
  }
  if (std::find(kTypes.begin(), kTypes.end(), what.type) == kTypes.end()) {
    return Fail(Code::kInvalidArgument, "{} of {}: want FP32, FP16, BF16, INT8, INT32, INT64 or BOOL",
                Name(what.op), DTypeName(what.type));
  }
  if (Reduces(what.op) != (what.reduce != ReduceOp::kNone)) {
    return Fail(Code::kInvalidArgument, "{} has the reduction '{}', want {}", Name(what.op),
                Name(what.reduce), Reduces(what.op) ? "sum, prod, max, min or avg" : "none");
  }
  if (IsRooted(what.op) && (what.root < Rank{0} || what.root >= Rank{world_size})) {
    return Fail(Code::kInvalidArgument, "{} has root {}, want 0 .. {}", Name(what.op), what.root.value(),
                world_size - 1);
  }
  return {};
}

Result<void> ValidateWhole(const Collective& what, const Use& use) {
  const size_t block = static_cast<size_t>(BitsOf(what.type)) / 8 * use.blocks;
  if (use.bytes.size() % block == 0) return {};
  return Fail(Code::kInvalidArgument, "{} of {}: {} has {} bytes, want a multiple of {}", Name(what.op),
              DTypeName(what.type), use.name, use.bytes.size(), block);
}

// The buffer that is used tells how large the other one is; one that is not used may also be given in full.
Result<void> ValidateSizes(const Collective& what, const Use& send, const Use& recv) {
  const Use& known = send.used ? send : recv;
  const Use& other = send.used ? recv : send;
  TRY(ValidateWhole(what, known));
  const size_t wanted = known.bytes.size() / known.blocks * other.blocks;
  if (other.bytes.size() == wanted || (!other.used && other.bytes.empty())) return {};
  return Fail(Code::kInvalidArgument, "{} of {}: {} has {} bytes, want {} as {} has {}", Name(what.op),
              DTypeName(what.type), other.name, other.bytes.size(), wanted, known.name, known.bytes.size());
}

Result<void> ValidateOverlap(const Collective& what, Bytes send, Bytes recv) {
  if (send.empty() || recv.empty()) return {};
  if (send.data() == recv.data() && send.size() == recv.size()) return {};
  const std::less<const std::byte*> before;
  const bool apart =
      !before(send.data(), recv.data() + recv.size()) || !before(recv.data(), send.data() + send.size());
  if (apart) return {};
  return Fail(Code::kInvalidArgument, "{}: send and recv overlap, want the same buffer or two apart",
              Name(what.op));
}

}  // namespace

Result<void> Validate(const Collective& what, Rank rank, int world_size, Bytes send, MutableBytes recv) {
  TRY(ValidateKind(what, rank, world_size));
  const Use used_send = SendOf(what, rank, static_cast<size_t>(world_size), send);
  const Use used_recv = RecvOf(what, rank, static_cast<size_t>(world_size), recv);
  TRY(ValidateSizes(what, used_send, used_recv));
  return ValidateOverlap(what, send, recv);
}

}  // namespace tessera::comm
