// What the checker knows of a value of the rank graph, and how the pieces of a conversion change that.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "tessera/shard/rank_model.h"

namespace tessera::shard {

struct Held {
  enum class Kind {
    kState,    // in `state`
    kPerRank,  // a constant of which each rank has its own
    kOpaque,   // neither: only the conversion that it is a part of may use it
  };
  Kind kind = Kind::kOpaque;
  State state;  // as a state of `of`, whatever order its dimensions stand in now
  graph::ValueId of =
      graph::kNoValue;     // the model's value; kNoValue: whole on every rank, but none of the model's
  int front = 0;           // this axis of `of` was brought to the front
  bool in_blocks = false;  // axis 0 is in the order of the ranks' blocks of `blocks`
  Cut blocks = {};
  // Values of the model side by side along `front`, all in `state` (see check_joined.h); opaque otherwise.
  std::vector<graph::ValueId> row = {};

  bool Plainly() const { return kind == Kind::kState && front == 0 && !in_blocks; }
  bool Whole() const { return Plainly() && state.replicated(); }
};

using HeldValues = std::map<graph::ValueId, Held>;

// What `node`, a part of a conversion of the model's value that its first input holds, makes of it. `why`
// says what is wrong where that is nullopt. Opaque values are those of an all-to-all, which is looked at as a
// whole at its end.
std::optional<Held> Converted(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                              const graph::Node& node, std::string& why);

}  // namespace tessera::shard
