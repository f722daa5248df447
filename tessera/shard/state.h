// The sharding state of a value: what each rank holds of it.
#pragma once

#include <string>

#include "tessera/base/collective.h"
#include "tessera/shard/cut.h"

namespace tessera::shard {

struct State {
  enum class Kind {
    kReplicated,  // R: every rank holds the whole value
    kSplit,       // S(axis, cut): every rank holds its pieces of one dimension
    kPartial,     // P(op): every rank holds a term; `reduce` over the ranks gives the value
  };
  Kind kind = Kind::kReplicated;
  int axis = 0;                       // of kSplit
  Cut cut;                            // of kSplit
  ReduceOp reduce = ReduceOp::kNone;  // of kPartial

  static State Replicated() { return {}; }
  static State Split(int axis, Cut cut = {}) { return {Kind::kSplit, axis, std::move(cut), ReduceOp::kNone}; }
  static State Partial(ReduceOp reduce) { return {Kind::kPartial, 0, {}, reduce}; }

  bool replicated() const { return kind == Kind::kReplicated; }
  bool split() const { return kind == Kind::kSplit; }
  bool partial() const { return kind == Kind::kPartial; }

  // "R", "S(1)", "S(2,3x64)", "P(sum)"
  std::string ToString() const;
  auto operator<=>(const State&) const = default;
};

// Whether one all-to-all turns `from` into `to`: both are plain splits, of different axes.
bool ExchangesDirectly(const State& from, const State& to);

// Into how many different pieces a value is cut: 1 where every rank holds all of it, or a term.
int Pieces(const State& state, int parts);

// Whether a rank that holds `held` has all of what it holds of `wanted`, not all of the value: fewer copies
// of the same segments.
bool Refines(const State& held, const State& wanted);

// The shape of what one of `parts` ranks holds of a value of `shape`.
Shape LocalShape(const Shape& shape, const State& state, int parts);

}  // namespace tessera::shard
