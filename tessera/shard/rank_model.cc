#include "tessera/shard/rank_model.h"

#include <algorithm>

namespace tessera::shard {
namespace {

using graph::Constant;

// Consecutive elements of one dimension: first and count.
struct Stretch {
  int64_t first;
  int64_t count;
};

std::vector<Stretch> Stretches(const std::vector<int64_t>& indices) {
  std::vector<Stretch> stretches;
  for (const int64_t i : indices) {
    if (!stretches.empty() && stretches.back().first + stretches.back().count == i) {
      ++stretches.back().count;
    } else {
      stretches.push_back({i, 1});
    }
  }
  return stretches;
}

Constant PieceOf(const Constant& whole, const State& state, int rank, int parts) {
  const auto axis = static_cast<size_t>(state.axis);
  Constant piece = whole;
  piece.shape = LocalShape(whole.shape, state, parts);
  const auto stretches = Stretches(state.cut.Indices(whole.shape[axis], parts, rank));
  const size_t element = static_cast<size_t>(BitsOf(whole.type)) / 8;
  const size_t outer =
      static_cast<size_t>(ElementCount({whole.shape.begin(), whole.shape.begin() + state.axis}));
  const size_t inner =
      element * static_cast<size_t>(ElementCount({whole.shape.begin() + state.axis + 1, whole.shape.end()}));
  const size_t row = inner * static_cast<size_t>(whole.shape[axis]);
  if (outer == 1 && stretches.size() == 1) {
    piece.bytes = whole.bytes.subspan(static_cast<size_t>(stretches[0].first) * inner,
                                      static_cast<size_t>(stretches[0].count) * inner);
    return piece;
  }
  auto bytes = std::make_shared<std::vector<std::byte>>();
  bytes->reserve(BytesOf(whole.type, piece.shape).value());
  for (size_t o = 0; o < outer; ++o) {
    for (const Stretch& s : stretches) {
      const auto from =
          whole.bytes.begin() + static_cast<std::ptrdiff_t>(o * row + static_cast<size_t>(s.first) * inner);
      bytes->insert(bytes->end(), from,
                    from + static_cast<std::ptrdiff_t>(static_cast<size_t>(s.count) * inner));
    }
  }
  piece.bytes = *bytes;
  piece.owner = bytes;
  return piece;
}

Constant Zeros(const Constant& like) {
  return Constant::OfBytes(like.type, like.shape, std::vector<std::byte>(like.bytes.size()));
}

}  // namespace

Constant OnRank(const RankConstant& constant, int rank, int parts) {
  if (!constant.by_rank.empty()) return constant.by_rank[static_cast<size_t>(rank)];
  if (constant.state.split()) return PieceOf(*constant.whole, constant.state, rank, parts);
  const bool zero = constant.state.partial() && constant.state.reduce == ReduceOp::kSum && rank != 0;
  return zero ? Zeros(*constant.whole) : *constant.whole;
}

}  // namespace tessera::shard
