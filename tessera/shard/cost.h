// What a step costs, in microseconds, at nominal sizes: a roofline for the ops, the machine's measured times
// for collectives.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/shard/machine.h"
#include "tessera/shard/row.h"

namespace tessera::shard {

// What the search makes small.
struct Objective {
  // What a byte of weights that a rank holds costs beside the time: 0 = only time counts.
  double weight_us_per_byte = 0;
  // What a microsecond of an op costs: more than 1 splits work even where the collectives outweigh it.
  double compute_price = 1;
  // How much more than the least weights a plan may hold where that is faster, as a share: see lean.h.
  double slack = 0;
};

class CostModel {
 public:
  CostModel(const graph::Graph& graph, const Machine& machine, const Objective& objective, int parts,
            const std::map<std::string, int64_t>& nominal_dims);

  // A node run by a row, its weights' memory included, but for embedding tables that other nodes
  // read, too: those are held once in each state that is wanted.
  double NodeCost(const graph::Node& node, const Rows& rows, const Row& row) const;

  // The inputs of a node that are such shared weights; none where memory has no price.
  std::vector<size_t> SharedWeights(const graph::Node& node, const Rows& rows) const;
  // The bytes of a weight that a rank holds in a state, and their price.
  double WeightBytes(graph::ValueId weight, const State& state) const;
  double WeightCost(graph::ValueId weight, const State& state) const {
    return objective_.weight_us_per_byte * WeightBytes(weight, state);
  }

  // A value turned from one state into another; kForbidden where that cannot be done. `free`: nothing is
  // sent.
  struct Conversion {
    double us = 0;
    bool collective = false;
  };
  Conversion Convert(graph::ValueId value, const State& from, const State& to) const;

  // A model output left in `state` for the executor to put together; kForbidden for a partial one.
  double OutputCost(graph::ValueId value, const State& state) const;

  // One of the collectives inside a node that looks across ranks.
  double AcrossCollective(const graph::Node& node, const Rule& rule) const;

  // Summing so many bytes over all ranks, and copying them with one op.
  double AllReduceTime(double bytes) const;
  double Move(double bytes) const;

  // The global bytes of a value at nominal sizes; 0 where its shape is not known.
  double NominalBytes(graph::ValueId value) const;

  // Of the whole plan's predicted time: what a step costs beside its ops ..
  double StepOverhead() const { return speeds_.step_us; }
  // .. and NodeCost without the weights' price.
  double NodeTime(const graph::Node& node, const Rows& rows, const Row& row) const;
  // The bytes of its weights that a rank holds, shared ones left out.
  double HeldWeights(const graph::Node& node, const Rows& rows, const Row& row) const;

  double weight_price() const { return objective_.weight_us_per_byte; }
  CostModel WithWeightPrice(double us_per_byte) const;

 private:
  void FindNominalSizes();
  void FindShared();
  double Moved(graph::ValueId value) const;
  bool Fused(graph::ValueId value) const { return fused_[static_cast<size_t>(value.value())]; }
  double AcrossBytes(const graph::Node& node, const Rule& rule) const;  // that a rank sends
  double AcrossTime(const graph::Node& node, const Rule& rule) const;
  double NominalSize(const graph::Value& value, size_t dim) const;
  double NominalCount(const graph::Value& value) const;
  std::vector<size_t> StoredWeights(const graph::Node& node, const Rule& rule) const;

  const graph::Graph& graph_;
  Speeds speeds_;
  Objective objective_;
  double parts_;
  std::map<std::string, int64_t> nominal_dims_;
  std::map<int32_t, double> nominal_;  // by symbol
  std::vector<bool> fused_;            // see FusedValues
  std::set<graph::ValueId> shared_;    // constants that several nodes read
};

}  // namespace tessera::shard
