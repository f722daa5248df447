// Turns a value from one state into another.
#pragma once

#include "tessera/base/result.h"
#include "tessera/shard/cost.h"
#include "tessera/shard/emitter.h"

namespace tessera::shard {

class Converter {
 public:
  Converter(Emitter& emitter, const CostModel& cost) : emitter_(emitter), cost_(cost) {}

  // `value` of the rank graph holds the model's `original` in `from`; the new one, called `name`, holds it in
  // `to`. A collective's predicted time is listed with it. Errors: kInternal where no conversion exists.
  Result<graph::ValueId> Convert(graph::ValueId value, graph::ValueId original, const graph::Value& whole,
                                 const State& from, const State& to, const std::string& name);

 private:
  Result<graph::ValueId> Emit(graph::ValueId value, graph::ValueId original, const graph::Value& whole,
                              const State& from, const State& to, const std::string& name);
  graph::ValueId Slice(graph::ValueId value, const graph::Value& whole, const State& to,
                       const std::string& name);
  graph::ValueId OwnCopy(graph::ValueId value, const graph::Value& whole, const State& from, const State& to,
                         const std::string& name);
  graph::ValueId AllGather(graph::ValueId value, const graph::Value& whole, const State& from, double bytes,
                           const std::string& name);
  graph::ValueId Exchange(graph::ValueId value, const graph::Value& whole, const State& from, const State& to,
                          double bytes, const std::string& name);
  graph::ValueId SliceAtRunTime(graph::ValueId value, const graph::Value& whole, const State& to,
                                const std::string& name);
  graph::ValueId ReduceScatter(graph::ValueId value, const graph::Value& whole, const State& from,
                               const State& to, double bytes, const std::string& name);

  Emitter& emitter_;
  const CostModel& cost_;
};

}  // namespace tessera::shard
