#include "tessera/comm/inproc/call.h"

#include <fmt/format.h>

#include <utility>

namespace tessera::comm {
namespace {

// From a buffer that is in use on every rank. Requires a valid call.
size_t BlockOf(CollectiveOp op, int world_size, Bytes send, MutableBytes recv) {
  switch (op) {
    case CollectiveOp::kBroadcast:
    case CollectiveOp::kReduceScatter:
    case CollectiveOp::kScatter:
      return recv.size();
    case CollectiveOp::kAllToAll:
      return send.size() / static_cast<size_t>(world_size);
    default:
      return send.size();
  }
}

bool Same(const Call& a, const Call& b) {
  return a.what.op == b.what.op && a.what.reduce == b.what.reduce && a.what.type == b.what.type &&
         a.block == b.block && (!IsRooted(a.what.op) || a.what.root == b.what.root);
}

tl::unexpected<Error> Blame(size_t rank, std::string message) {
  const int number = static_cast<int>(rank);
  return tl::unexpected<Error>(
      Error{Code::kInvalidArgument, fmt::format("rank {}: {}", number, message), number, __FILE__, __LINE__});
}

}  // namespace

Call MakeCall(const Collective& what, Rank rank, int world_size, Bytes send, MutableBytes recv) {
  Call call{what, 0, {}, {send.data(), recv.data()}};
  if (Result<void> valid = Validate(what, rank, world_size, send, recv); !valid) {
    call.wrong = std::move(valid).error().message;
  } else {
    call.block = BlockOf(what.op, world_size, send, recv);
  }
  return call;
}

size_t SendBytes(const Call& call, int world_size) {
  const bool all = call.what.op == CollectiveOp::kReduceScatter || call.what.op == CollectiveOp::kAllToAll ||
                   call.what.op == CollectiveOp::kScatter;
  return all ? static_cast<size_t>(world_size) * call.block : call.block;
}

bool Sends(const Call& call, Rank rank) {
  return (call.what.op != CollectiveOp::kBroadcast && call.what.op != CollectiveOp::kScatter) ||
         rank == call.what.root;
}

std::string Describe(const Call& call) {
  std::string text(Name(call.what.op));
  if (Reduces(call.what.op)) text += fmt::format(" {}", Name(call.what.reduce));
  text += fmt::format(" of {} bytes of {}", call.block, DTypeName(call.what.type));
  if (IsRooted(call.what.op)) text += fmt::format(" with root {}", call.what.root.value());
  return text;
}

Result<void> Agree(const std::vector<const Call*>& by_rank) {
  for (size_t rank = 0; rank < by_rank.size(); ++rank) {
    if (!by_rank[rank]->wrong.empty()) return Blame(rank, by_rank[rank]->wrong);
  }
  for (size_t rank = 1; rank < by_rank.size(); ++rank) {
    if (Same(*by_rank[0], *by_rank[rank])) continue;
    return Blame(rank, fmt::format("{}, but rank 0: {}", Describe(*by_rank[rank]), Describe(*by_rank[0])));
  }
  return {};
}

}  // namespace tessera::comm
