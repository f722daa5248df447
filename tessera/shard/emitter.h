// Adds nodes to the rank graph, and keeps book of what each value holds.
#pragma once

#include <string>
#include <vector>

#include "tessera/shard/rank_model.h"

namespace tessera::shard {

class Emitter {
 public:
  Emitter(RankModel& model, std::string axis_name) : model_(model), axis_name_(std::move(axis_name)) {}

  // A value of the rank graph; dynamic dimensions keep the symbols of `like`.
  graph::ValueId Value(const std::string& name, const graph::Value& like, Shape shape);

  graph::ValueId Constant(const std::string& name, graph::Constant constant);
  graph::ValueId Integers(const std::string& name, const std::vector<int64_t>& values);
  // One constant a rank, all of the same type and shape.
  graph::ValueId PerRank(const std::string& name, std::vector<graph::Constant> by_rank);

  // op(inputs) -> a new value of `shape`.
  graph::ValueId Op(const std::string& op, const std::string& name, const std::vector<graph::ValueId>& inputs,
                    Shape shape, std::vector<graph::Attribute> attributes = {});

  // `axis` brought to the front, and back.
  graph::ValueId ToFront(graph::ValueId value, int axis, const std::string& name);
  graph::ValueId FromFront(graph::ValueId value, int axis, const std::string& name);

  // The elements `indices` of `axis`: the same on all ranks, or each rank's own.
  graph::ValueId Take(graph::ValueId value, int axis, std::vector<std::vector<int64_t>> indices,
                      const std::string& name);

  // Equal parts along `axis`, one a rank, each of shape `part`; and parts put together along an axis.
  std::vector<graph::ValueId> Split(graph::ValueId value, int axis, const Shape& part,
                                    const std::string& name);
  // Pieces along `axis`, of the sizes that the new values have there.
  void Cut(graph::ValueId value, int axis, const std::vector<graph::ValueId>& pieces,
           const std::string& name);
  graph::ValueId Concat(const std::vector<graph::ValueId>& parts, int axis, Shape shape,
                        const std::string& name);

  // A collective, listed in the plan. `send_bytes`: what a rank sends at nominal sizes.
  graph::ValueId Collective(CollectiveOp op, ReduceOp reduce, graph::ValueId value, Shape shape,
                            double send_bytes, const std::string& name);

  RankModel& model() { return model_; }

 private:
  RankModel& model_;
  std::string axis_name_;
};

}  // namespace tessera::shard
