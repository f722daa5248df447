#include "tessera/shard/check_flat.h"

#include <algorithm>
#include <optional>

namespace tessera::shard {
namespace {

// A product of sizes: a number times dimension symbols.
struct SizeProduct {
  int64_t number = 1;
  std::vector<int32_t> symbols;
  bool known = true;

  void Times(const graph::Value& value, size_t dim) {
    const int64_t size = value.shape[dim];
    if (size != kDynamic) {
      number *= size;
    } else if (dim < value.symbols.size() && value.symbols[dim] >= 0) {
      symbols.insert(std::upper_bound(symbols.begin(), symbols.end(), value.symbols[dim]),
                     value.symbols[dim]);
    } else {
      known = false;
    }
  }
  bool Equals(const SizeProduct& other) const {
    return known && other.known && number == other.number && symbols == other.symbols;
  }
};

SizeProduct Dimensions(const graph::Value& value, size_t from, size_t to) {
  SizeProduct product;
  for (size_t d = from; d < to; ++d) product.Times(value, d);
  return product;
}

// Equal segments only: how long one is, and how many there are.
struct Uniform {
  SizeProduct length;
  SizeProduct count;
};

std::optional<Uniform> UniformSegments(const graph::Value& value, const State& state) {
  const auto axis = static_cast<size_t>(state.axis);
  Uniform segments{Dimensions(value, axis + 1, value.shape.size()), Dimensions(value, 0, axis)};
  if (state.cut.one_segment()) {
    segments.length.Times(value, axis);
    return segments;
  }
  if (state.cut.runs().size() != 1) return std::nullopt;
  const Run& run = state.cut.runs()[0];
  segments.length.number *= run.size;
  if (run.count == kDynamic)
    segments.count.known = false;
  else
    segments.count.number *= run.count;
  return segments;
}

// Lengths of all segments in order, neighbours of one length counted; needs static sizes.
std::optional<std::vector<Run>> AllSegments(const graph::Value& value, const State& state) {
  if (!IsStatic(value.shape)) return std::nullopt;
  const auto axis = static_cast<size_t>(state.axis);
  const int64_t inner = Dimensions(value, axis + 1, value.shape.size()).number;
  const int64_t outer = Dimensions(value, 0, axis).number;
  std::vector<Run> once = state.cut.runs();
  if (once.empty()) once = {{value.shape[axis], 1}};
  std::vector<Run> all;
  for (int64_t o = 0; o < outer; ++o) {
    for (const Run& run : once) {
      if (run.count == kDynamic) return std::nullopt;
      if (!all.empty() && all.back().size == run.size * inner)
        all.back().count += run.count;
      else
        all.push_back({run.size * inner, run.count});
    }
    if (all.size() == 1 && o == 0) {
      all[0].count *= outer;
      break;
    }
  }
  return all;
}

// Each rank's piece of a segment is a whole number of what lies inside the cut dimension.
bool Divides(const graph::Value& value, const State& state, int parts) {
  const int64_t size = value.shape[static_cast<size_t>(state.axis)];
  return size == kDynamic || state.cut.Divides(size, parts);
}

}  // namespace

bool SameElements(const graph::Value& a, const State& held, const graph::Value& b, const State& wanted,
                  int parts) {
  if (held.cut.copies() != wanted.cut.copies()) return false;
  if (!a.has_shape || !b.has_shape || !Divides(a, held, parts) || !Divides(b, wanted, parts)) return false;
  const auto all_a = AllSegments(a, held);
  const auto all_b = AllSegments(b, wanted);
  if (all_a && all_b) return *all_a == *all_b;
  const auto uniform_a = UniformSegments(a, held);
  const auto uniform_b = UniformSegments(b, wanted);
  if (!uniform_a || !uniform_b) return false;
  return uniform_a->length.Equals(uniform_b->length) || uniform_a->count.Equals(uniform_b->count);
}

}  // namespace tessera::shard
