// How one dimension is cut over N ranks.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/types.h"

namespace tessera::shard {

// `count` neighbouring segments of `size` elements; count may be kDynamic in a cut of a single run.
struct Run {
  int64_t size = 0;
  int64_t count = 1;
  auto operator<=>(const Run&) const = default;
};

// A dimension is a row of segments. Every segment is cut into N equal contiguous pieces, and rank r holds the
// r-th piece of each, in order. One segment = the plain contiguous split (also of a dynamic dimension); three
// equal ones = a fused [q|k|v]; [q|k|v] of unequal sizes = a fused GQA projection. Two cuts are equal exactly
// when every rank holds the same elements.
//
// With `copies` > 1, every segment is cut into N / copies pieces only, and so many neighbouring ranks hold
// the same one: two key heads over four ranks, for query heads that are cut four ways.
class Cut {
 public:
  Cut() = default;  // plain

  // The segments of a dimension of `size` elements (kDynamic allowed for a plain or dynamic-count cut).
  static Cut Of(const std::vector<Run>& runs, int64_t size);

  bool plain() const { return runs_.empty() && copies_ == 1; }
  bool one_segment() const { return runs_.empty(); }
  int copies() const { return copies_; }
  Cut WithCopies(int copies) const;
  // Into how many different pieces `parts` ranks cut a segment.
  int Pieces(int parts) const { return parts / copies_; }
  const std::vector<Run>& runs() const { return runs_; }

  // Whether `parts` ranks get equal whole pieces of every segment, none of them empty. A dynamic plain
  // dimension: not known, false.
  bool Divides(int64_t size, int parts) const;

  // The elements of a dimension of static `size` that `rank` holds, in the order it holds them.
  std::vector<int64_t> Indices(int64_t size, int parts, int rank) const;

  // This cut of a factor of `size` elements, seen in a dimension (outer, factor, inner), outer being major.
  // nullopt where it cannot be told because a size is dynamic.
  std::optional<Cut> Lift(int64_t size, int64_t outer, int64_t inner) const;

  // "plain" or "3x64" or "128+2x32"; "plain*2" with two copies
  std::string ToString() const;

  auto operator<=>(const Cut&) const = default;

 private:
  std::vector<Run> runs_;  // empty = one segment
  int copies_ = 1;
};

// Which factor of a dimension (sizes, major first) a cut of the dimension cuts, and how. nullopt: it crosses
// factors, or does not divide over `parts` (a plain cut of a dynamic size passes: the caller knows of those).
struct FactorCut {
  int factor = 0;  // position in `sizes`
  Cut cut;
};
std::optional<FactorCut> CutOfFactor(const Cut& cut, const std::vector<int64_t>& sizes, int parts);

}  // namespace tessera::shard
