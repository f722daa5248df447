// What a step costs, in microseconds, at nominal sizes: a roofline for the ops, alpha + bytes / beta for
// collectives.
#pragma once

#include <map>
#include <string>

#include "tessera/graph/graph.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

// A machine, as the model sees it. The defaults are one core a rank of a small x86 server with shared memory.
struct Machine {
  double flops_per_us = 50e3;  // of one rank, at 70% of the peak
  double bytes_per_us = 8e3;   // of one rank's memory
  double launch_us = 2;        // of one op
  double collective_us = 70;   // alpha: of the smallest collective
  double collective_bytes_per_us = 4e3;
  double output_bytes_per_us = 8e3;  // the executor putting a cut output together
};

// What the search makes small.
struct Objective {
  // What a byte of weights that a rank holds costs beside the time: 0 = only time counts.
  double weight_us_per_byte = 0;
  // What a microsecond of an op costs: more than 1 splits work even where the collectives outweigh it.
  double compute_price = 1;
};

class CostModel {
 public:
  CostModel(const graph::Graph& graph, const Machine& machine, const Objective& objective, int parts,
            const std::map<std::string, int64_t>& nominal_dims);

  // A node run by a row, its weights' memory included.
  double NodeCost(const graph::Node& node, const Rows& rows, const Row& row) const;

  // A value turned from one state into another; kForbidden where that cannot be done. `free`: nothing is
  // sent.
  struct Conversion {
    double us = 0;
    bool collective = false;
  };
  Conversion Convert(graph::ValueId value, const State& from, const State& to) const;

  // A model output left in `state` for the executor to put together; kForbidden for a partial one.
  double OutputCost(graph::ValueId value, const State& state) const;

  // The global bytes of a value at nominal sizes; 0 where its shape is not known.
  double NominalBytes(graph::ValueId value) const;

  // Of the whole plan's predicted time: NodeCost without the weights' price.
  double NodeTime(const graph::Node& node, const Rows& rows, const Row& row) const;

 private:
  void FindNominalSizes();
  double NominalSize(const graph::Value& value, size_t dim) const;
  double NominalCount(const graph::Value& value) const;
  double HeldWeights(const graph::Node& node, const Rows& rows, const Row& row) const;

  const graph::Graph& graph_;
  Machine machine_;
  Objective objective_;
  double parts_;
  std::map<std::string, int64_t> nominal_dims_;
  std::map<int32_t, double> nominal_;  // by symbol
};

}  // namespace tessera::shard
