// Finds blocks that a sequence repeats: the layers of a model, to be shown once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace tessera::shard::report {

// `count` blocks of `period` elements from `first` on, all alike; count 1: elements that nothing repeats.
struct Segment {
  size_t first = 0;
  size_t period = 0;
  size_t count = 1;

  size_t end() const { return first + period * count; }
  bool operator==(const Segment&) const = default;
};

// Segments that cover the sequence in order. Elements with equal `kinds` are alike; where a block could start
// at several places, it starts where `crossing` (as long as kinds, by element) is least. Blocks of fewer than
// four elements are not looked for. Takes time near-linear in the length.
std::vector<Segment> Fold(const std::vector<uint64_t>& kinds, const std::vector<uint32_t>& crossing);

}  // namespace tessera::shard::report
