// A node of the rank graph, beside the node of the model that it stands for.
#pragma once

#include <initializer_list>
#include <set>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/shard/check_held.h"
#include "tessera/shard/check_labels.h"
#include "tessera/shard/check_special.h"

namespace tessera::shard::check {

bool OneOf(const std::string& op, std::initializer_list<const char*> names);

// `node` makes, of the local sizes that it reads, what `copied`, a Shape or Size of the model, gives: the
// sizes of a cut value times the number of ranks where the cut is.
bool IsScaledShape(const graph::Graph& model, const RankModel& ranks, const HeldValues& held,
                   const graph::Node& node, const graph::Node& copied);

// One node that is a copy of one of the model's: are its outputs' states right for those of its inputs?
class Copy {
 public:
  Copy(const graph::Graph& model, const RankModel& ranks, const HeldValues& held, const graph::Node& original,
       const graph::Node& node)
      : model_(model), ranks_(ranks), held_(held), original_(original), node_(node) {}

  // Errors: kInternal, saying what is wrong with the node.
  Result<void> Check();

 private:
  tl::unexpected<Error> Wrong(const char* what) const;
  // The same op on the same values, in whatever state; operands that count sizes may be new ones.
  Result<void> CheckForm();
  bool CountsSizes(size_t input) const;
  State InputState(size_t i) const;
  // All attributes are the model's; those in `divided` are divided.
  Result<void> Attributes(const Divisors& divided) const;
  Result<void> Regrouped() const;
  // A target that is known before the run asks for the rank's sizes.
  Result<void> Target() const;
  Result<void> ByLabels();
  // The one letter along which the cut inputs are cut; a whole input must not have it.
  Result<void> FindLetter(const Labels& labels, char& letter, Cut& cut) const;
  // Nothing is cut: all partial inputs together are a set in which the op is linear.
  Result<void> Linear(const Labels& labels) const;
  Result<void> AllOutputs(const State& state) const;
  // All inputs are whole: outputs are, too; a dimension that Expand makes may be made in parts.
  Result<void> NoneCut(const Labels& labels) const;
  Result<void> Cutting(const Labels& labels, char letter, const Cut& cut) const;
  bool TiledAlong(char letter, const Labels& labels) const;
  // A repeated dimension holds its cut once for every repetition.
  Result<void> Tiled(const Cut& cut) const;
  bool IsJoin() const;
  bool Joins() const;
  // Pieces side by side along the dimension that is cut: the whole is cut piece by piece.
  Result<void> Joined() const;
  Result<void> SplitOperand() const;
  bool SplitSizes(const std::vector<int64_t>& sizes) const;
  size_t JoinAxis() const;
  const graph::Value& In(size_t i) const { return model_.value(original_.inputs[i]); }
  const graph::Value& Out(size_t i) const { return model_.value(original_.outputs[i]); }

  const graph::Graph& model_;
  const RankModel& ranks_;
  const HeldValues& held_;
  const graph::Node& original_;
  const graph::Node& node_;
  std::vector<State> inputs_;
  std::vector<State> outputs_;
  std::set<size_t> rewritten_;
};

}  // namespace tessera::shard::check
