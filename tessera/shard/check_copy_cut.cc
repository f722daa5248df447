// Copy, where its inputs are cut or partial: what the labels of its op say of its outputs.
#include <algorithm>
#include <utility>

#include "tessera/shard/check_copy.h"
#include "tessera/shard/check_rank_graph.h"

namespace tessera::shard::check {
namespace {

using graph::ValueId;

bool Has(const std::vector<int>& list, size_t i) {
  return std::ranges::find(list, static_cast<int>(i)) != list.end();
}

Cut SideBySide(const std::vector<std::pair<Cut, int64_t>>& pieces) {
  std::vector<Run> runs;
  int64_t size = 0;
  for (const auto& [cut, piece] : pieces) {
    if (cut.one_segment())
      runs.push_back({piece, 1});
    else
      runs.insert(runs.end(), cut.runs().begin(), cut.runs().end());
    size += piece;
  }
  return Cut::Of(runs, size);
}

}  // namespace

Result<void> Copy::FindLetter(const Labels& labels, char& letter, Cut& cut) const {
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (!inputs_[i].split()) continue;
    const std::string text = i < labels.inputs.size() ? labels.inputs[i] : "";
    const auto axis = static_cast<size_t>(inputs_[i].axis);
    const char here = text.size() == In(i).shape.size() ? text[axis] : '.';
    if (here == '.') return Wrong("an input is cut along a dimension that must be whole");
    if (letter != 0 && (here != letter || cut != inputs_[i].cut))
      return Wrong("its inputs are cut along different dimensions");
    const int64_t size = In(i).shape[axis];
    if (size != kDynamic && !inputs_[i].cut.Divides(size, ranks_.parts))
      return Wrong("an input does not divide");
    letter = here;
    cut = inputs_[i].cut;
  }
  for (size_t i = 0; i < inputs_.size() && letter != 0; ++i) {
    if (inputs_[i].split() || i >= labels.inputs.size() || original_.inputs[i] == graph::kNoValue) continue;
    const bool addend = std::ranges::find(labels.addends, static_cast<int>(i)) != labels.addends.end();
    if (!addend && labels.inputs[i].find(letter) != std::string::npos)
      return Wrong("an input is whole along the dimension that another is cut along");
    if (addend && inputs_[i].replicated() && labels.inputs[i].find(letter) != std::string::npos)
      return Wrong("an addend is whole along the dimension that is cut");
  }
  return {};
}

Result<void> Copy::Linear(const Labels& labels) const {
  const auto first = std::ranges::find_if(inputs_, &State::partial);
  if (first == inputs_.end()) return NoneCut(labels);
  if (first->reduce != ReduceOp::kSum && first->reduce != ReduceOp::kAvg)
    return Wrong("takes partial maxima or minima");
  const bool linear = std::ranges::any_of(labels.linear, [&](const std::vector<int>& set) {
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (original_.inputs[i] == graph::kNoValue) continue;
      const bool wanted = Has(set, i) || Has(labels.addends, i);
      if (wanted ? !(inputs_[i] == *first) : inputs_[i].partial()) return false;
    }
    return true;
  });
  if (!linear) return Wrong("is not linear in the inputs that are partial");
  return AllOutputs(*first);
}

Result<void> Copy::AllOutputs(const State& state) const {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (node_.outputs[i] != graph::kNoValue && !(outputs_[i] == state))
      return Wrong("gives an output in another state");
  }
  return {};
}

Result<void> Copy::NoneCut(const Labels& labels) const {
  if (node_.op_type != "Expand" || !outputs_[0].split()) return AllOutputs(State::Replicated());
  const char made = labels.outputs[0][static_cast<size_t>(outputs_[0].axis)];
  if (labels.inputs[0].find(made) != std::string::npos)
    return Wrong("cuts a dimension that its input has whole");
  return {};
}

Result<void> Copy::Cutting(const Labels& labels, char letter, const Cut& cut) const {
  ReduceOp reduce = ReduceOp::kNone;
  if (labels.summed.find(letter) != std::string::npos) reduce = ReduceOp::kSum;
  if (labels.averaged.find(letter) != std::string::npos) reduce = ReduceOp::kAvg;
  if (labels.maximal.find(letter) != std::string::npos) reduce = ReduceOp::kMax;
  if (labels.minimal.find(letter) != std::string::npos) reduce = ReduceOp::kMin;
  for (size_t i = 0; i < inputs_.size(); ++i) {
    const bool addend = Has(labels.addends, i) && original_.inputs[i] != graph::kNoValue;
    const bool term = addend && reduce != ReduceOp::kNone;
    if (term ? !(inputs_[i] == State::Partial(reduce)) : inputs_[i].partial())
      return Wrong(term ? "adds a whole input to every rank's partial sum" : "mixes partial and cut inputs");
  }
  if (reduce != ReduceOp::kNone && cut.copies() > 1)
    return Wrong("sums what several ranks hold more than once");
  if (reduce != ReduceOp::kNone) return AllOutputs(State::Partial(reduce));
  if (node_.op_type == "Tile" && TiledAlong(letter, labels)) return Tiled(cut);
  for (size_t i = 0; i < outputs_.size(); ++i) {
    if (node_.outputs[i] == graph::kNoValue) continue;
    const std::string text = i < labels.outputs.size() ? labels.outputs[i] : "";
    const size_t at = text.find(letter);
    if (at == std::string::npos || text.find(letter, at + 1) != std::string::npos)
      return Wrong("an output does not have the dimension that is cut exactly once");
    if (!(outputs_[i] == State::Split(static_cast<int>(at), cut)))
      return Wrong("gives an output in another state");
  }
  return {};
}

bool Copy::TiledAlong(char letter, const Labels& labels) const {
  return labels.outputs[0].find(letter) == std::string::npos;
}

Result<void> Copy::Tiled(const Cut& cut) const {
  const auto axis = static_cast<size_t>(inputs_[0].axis);
  const int64_t size = In(0).shape[axis];
  const int64_t whole = Out(0).shape[axis];
  if (size == kDynamic || whole == kDynamic || size == 0) return Wrong("its sizes are not known");
  std::vector<std::pair<Cut, int64_t>> pieces(static_cast<size_t>(whole / size), {cut, size});
  if (!(outputs_[0] == State::Split(inputs_[0].axis, SideBySide(pieces))))
    return Wrong("gives an output in another state");
  return {};
}

bool Copy::IsJoin() const {
  return original_.op_type == "Concat" || original_.op_type == "Split";
}

bool Copy::Joins() const {
  return inputs_[0].split() && static_cast<size_t>(inputs_[0].axis) == JoinAxis();
}

Result<void> Copy::Joined() const {
  const bool concat = original_.op_type == "Concat";
  const auto& states = concat ? inputs_ : outputs_;
  const std::vector<ValueId>& ids = concat ? original_.inputs : original_.outputs;
  std::vector<std::pair<Cut, int64_t>> pieces;
  for (size_t i = 0; i < ids.size(); ++i) {
    const int64_t size = model_.value(ids[i]).shape[JoinAxis()];
    if (!states[i].split() || static_cast<size_t>(states[i].axis) != JoinAxis() || size == kDynamic)
      return Wrong("its pieces are not all cut along the dimension that joins them");
    if (states[i].cut.copies() > 1) return Wrong("joins copies");
    if (!states[i].cut.Divides(size, ranks_.parts)) return Wrong("a piece does not divide");
    pieces.emplace_back(states[i].cut, size);
  }
  const State whole = State::Split(static_cast<int>(JoinAxis()), SideBySide(pieces));
  if (!((concat ? outputs_[0] : inputs_[0]) == whole)) return Wrong("the whole is not cut as its pieces are");
  return Attributes({});
}

Result<void> Copy::SplitOperand() const {
  const auto sizes = SharedIntegers(ranks_, node_.inputs[1]);
  if (sizes && !SplitSizes(*sizes)) return Wrong("its sizes are not those of the rank's pieces");
  return {};
}

bool Copy::SplitSizes(const std::vector<int64_t>& sizes) const {
  if (sizes.size() != node_.outputs.size()) return false;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (original_.outputs[i] == graph::kNoValue) continue;
    const Shape local = LocalShape(Out(i).shape, outputs_[i], ranks_.parts);
    if (local[JoinAxis()] != kDynamic && local[JoinAxis()] != sizes[i]) return false;
  }
  return true;
}

size_t Copy::JoinAxis() const {
  const int64_t axis = original_.Int("axis", 0);
  return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(In(0).shape.size()) : axis);
}

}  // namespace tessera::shard::check
