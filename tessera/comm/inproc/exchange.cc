#include "tessera/comm/inproc/exchange.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

#include "tessera/comm/inproc/reduce.h"

namespace tessera::comm {
namespace {

size_t Index(Rank rank) {
  return static_cast<size_t>(rank.value());
}

size_t ElementBytes(DType type) {
  return static_cast<size_t>(BitsOf(type)) / 8;
}

// Shares start on cache lines: two ranks never write the same one of a line-aligned buffer.
constexpr size_t kLine = 64;

struct Slice {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
};

Slice ShareOf(size_t bytes, size_t world, size_t me) {
  const size_t lines = (bytes + kLine - 1) / kLine;
  return {std::min(bytes, lines * me / world * kLine), std::min(bytes, lines * (me + 1) / world * kLine)};
}

void Copy(const std::byte* from, std::byte* to, size_t bytes) {
  if (from != to && bytes > 0) std::memcpy(to, from, bytes);
}

// Reduces the bytes [at, at + bytes) of every send into `destinations`, which point to where they begin.
void ReduceAt(const Exchange& exchange, size_t at, size_t bytes, std::span<std::byte* const> destinations) {
  std::vector<const std::byte*> sources;
  sources.reserve(exchange.ranks.size());
  for (const Buffers& rank : exchange.ranks) sources.push_back(rank.send + at);
  Reduce(exchange.what.type, exchange.what.reduce, sources, destinations,
         bytes / ElementBytes(exchange.what.type));
}

void ReduceInto(const Exchange& exchange, size_t at, std::byte* recv) {
  const std::array<std::byte*, 1> destination{recv};
  ReduceAt(exchange, at, exchange.block, destination);
}

// Reduces one slice and writes it to every rank that wants it: read before written, by nobody else.
void ReduceSlice(const Exchange& exchange, size_t me) {
  const Slice slice = ShareOf(exchange.block, exchange.ranks.size(), me);
  if (slice.size() == 0) return;
  std::vector<std::byte*> destinations;
  if (exchange.what.op == CollectiveOp::kReduce) {
    destinations.push_back(exchange.ranks[Index(exchange.what.root)].recv + slice.begin);
  } else {
    for (const Buffers& rank : exchange.ranks) destinations.push_back(rank.recv + slice.begin);
  }
  ReduceAt(exchange, slice.begin, slice.size(), destinations);
}

// Block `b` of rank a goes to a's block of rank b, and the other way round. By way of a small buffer, as
// either rank's send may be its recv.
void Swap(const Exchange& exchange, size_t a, size_t b) {
  constexpr size_t kStep = 4096;
  std::array<std::byte, kStep> from_a,
      from_b;  // NOLINT(cppcoreguidelines-pro-type-member-init): written below
  const size_t block = exchange.block;
  for (size_t done = 0; done < block; done += kStep) {
    const size_t step = std::min(kStep, block - done);
    std::memcpy(from_a.data(), exchange.ranks[a].send + b * block + done, step);
    std::memcpy(from_b.data(), exchange.ranks[b].send + a * block + done, step);
    std::memcpy(exchange.ranks[b].recv + a * block + done, from_a.data(), step);
    std::memcpy(exchange.ranks[a].recv + b * block + done, from_b.data(), step);
  }
}

// Each pair of ranks is swapped by one of the two, by turns so that all have about the same work.
void SwapMyPairs(const Exchange& exchange, size_t me) {
  const size_t own = me * exchange.block;
  Copy(exchange.ranks[me].send + own, exchange.ranks[me].recv + own, exchange.block);
  for (size_t other = 0; other < exchange.ranks.size(); ++other) {
    if (other == me) continue;
    const bool mine = (me + other) % 2 == 0 ? me < other : me > other;
    if (mine) Swap(exchange, me, other);
  }
}

// Block `b` of each rank's send, in rank order; whole sends where they are one block.
void PullBlocks(const Exchange& exchange, size_t b, std::byte* recv) {
  for (size_t rank = 0; rank < exchange.ranks.size(); ++rank) {
    Copy(exchange.ranks[rank].send + b * exchange.block, recv + rank * exchange.block, exchange.block);
  }
}

}  // namespace

void Pull(const Exchange& exchange, Rank me) {
  if (exchange.block == 0) return;
  const Buffers& mine = exchange.ranks[Index(me)];
  const Buffers& root = exchange.ranks[IsRooted(exchange.what.op) ? Index(exchange.what.root) : 0];
  const bool at_root = me == exchange.what.root;
  switch (exchange.what.op) {
    case CollectiveOp::kAllReduce:
      return ReduceInto(exchange, 0, mine.recv);
    case CollectiveOp::kReduceScatter:
      return ReduceInto(exchange, Index(me) * exchange.block, mine.recv);
    case CollectiveOp::kReduce:
      if (at_root) ReduceInto(exchange, 0, mine.recv);
      return;
    case CollectiveOp::kAllGather:
      return PullBlocks(exchange, 0, mine.recv);
    case CollectiveOp::kAllToAll:
      return PullBlocks(exchange, Index(me), mine.recv);
    case CollectiveOp::kGather:
      if (at_root) PullBlocks(exchange, 0, mine.recv);
      return;
    case CollectiveOp::kBroadcast:
      return Copy(root.send, mine.recv, exchange.block);
    case CollectiveOp::kScatter:
      return Copy(root.send + Index(me) * exchange.block, mine.recv, exchange.block);
  }
}

void Share(const Exchange& exchange, Rank me) {
  if (exchange.block == 0) return;
  switch (exchange.what.op) {
    case CollectiveOp::kAllReduce:
    case CollectiveOp::kReduce:
      return ReduceSlice(exchange, Index(me));
    case CollectiveOp::kAllToAll:
      return SwapMyPairs(exchange, Index(me));
    case CollectiveOp::kGather:
      return Copy(exchange.ranks[Index(me)].send,
                  exchange.ranks[Index(exchange.what.root)].recv + Index(me) * exchange.block,
                  exchange.block);
    default:
      return Pull(exchange, me);  // reads what nobody writes
  }
}

}  // namespace tessera::comm
