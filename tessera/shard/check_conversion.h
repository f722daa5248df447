// A node that is part of a conversion: of the model's value that its first input holds, to another state.
#pragma once

#include <optional>
#include <string>

#include "tessera/shard/check_held.h"
#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {

struct Conversion {
  const graph::Graph& model;
  const RankModel& ranks;
  const HeldValues& held;
  const graph::Node& node;
  const Held& from;  // what the first input holds
  std::string& why;  // what is wrong, if anything is

  std::nullopt_t Wrong(const char* what) const {
    why = what;
    return std::nullopt;
  }
  // Of the model's value.
  int Dims() const { return static_cast<int>(model.value(from.of).shape.size()); }
  int64_t SizeOf(int axis) const { return model.value(from.of).shape[static_cast<size_t>(axis)]; }
  // Only the conversion that it is a part of may use the result.
  Held Opaque() const { return {Held::Kind::kOpaque, {}, from.of}; }
};

// What the node makes of what it is given; nullopt: what it does is part of no conversion.
std::optional<Held> Gathered(const Conversion& c);   // a Gather: a rank's own part, or another order
std::optional<Held> Sliced(const Conversion& c);     // a Slice: a rank's own part
std::optional<Held> Exchanged(const Conversion& c);  // a Concat: the end of an all-to-all

}  // namespace tessera::shard::check
