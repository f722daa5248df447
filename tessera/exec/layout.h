// How a model's inputs are handed to its ranks, and what a rank's outputs are of the model's: the plan's
// layouts made into regions of the caller's memory. Nothing is copied here.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/engine/rank_group.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

// Part `rank` of `ranks` equal parts along `axis` of a dense tensor of `shape`, whose elements have
// `element_bytes`. `whole` is contiguous and shape[axis] divides by `ranks`.
template <class Byte>
BasicRegion<Byte> Part(const BasicRegion<Byte>& whole, const Shape& shape, size_t element_bytes, int axis,
                       Rank rank, int ranks);

// The plan's tensors against what a group's engines declare.
class Layout {
 public:
  // Errors: kInvalidArgument (a tensor that only one side has, another type or shape; the line names it).
  static Result<Layout> Create(const plan::Plan& plan, const std::vector<TensorSpec>& engine_inputs,
                               const std::vector<TensorSpec>& engine_outputs);

  // The ranks' inputs, in the engine's order: views of the memory of `inputs`, which are in the plan's order.
  // Errors: kInvalidArgument (count, type, shape, two sizes of one named dimension, a split axis that does
  // not divide).
  Result<std::vector<engine::RankInputs>> Split(std::span<const TensorView> inputs) const;

  // An output of the model, by the engine's index.
  struct Output {
    int index = 0;  // in the plan
    const plan::TensorPlan* plan = nullptr;
  };
  const Output& output(int engine_index) const { return outputs_[static_cast<size_t>(engine_index)]; }
  size_t output_count() const { return outputs_.size(); }

  // The largest first dimension that every input takes whose first dimension is free; nullopt: no limit is
  // known. `largest` is RankGroup::largest_inputs().
  std::optional<int64_t> MaxRows(const std::vector<Shape>& largest) const;

  // The global shape of an output whose part on a rank is `local`.
  Shape GlobalShape(const plan::TensorPlan& output, const Shape& local) const;
  int world_size() const { return world_size_; }

 private:
  Layout(const plan::Plan& plan) : inputs_(&plan.inputs), world_size_(plan.world_size()) {}

  const std::vector<plan::TensorPlan>* inputs_;
  int world_size_;
  std::vector<size_t> engine_index_;  // of each plan input
  std::vector<Output> outputs_;       // by the engine's index
};

}  // namespace tessera::exec
