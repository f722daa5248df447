#include "tessera/shard/check.h"

#include <algorithm>
#include <array>
#include <set>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/check_flat.h"
#include "tessera/shard/check_held.h"
#include "tessera/shard/check_labels.h"
#include "tessera/shard/check_special.h"

namespace tessera::shard {
namespace {

namespace dist = plan::dist_collective;
using graph::Graph;
using graph::Node;
using graph::ValueId;

bool OneOf(const std::string& op, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

// Reshaping keeps every rank's elements and their order.
bool Regroups(const Node& node) {
  return OneOf(node.op_type, {"Reshape", "Flatten", "Squeeze", "Unsqueeze"});
}

bool SameContent(const graph::Attribute& a, const graph::Attribute& b) {
  const bool same_tensor =
      a.tensor == b.tensor ||
      (a.tensor && b.tensor && a.tensor->type == b.tensor->type && a.tensor->shape == b.tensor->shape &&
       std::ranges::equal(a.tensor->bytes, b.tensor->bytes));
  return a.kind == b.kind && a.i == b.i && a.f == b.f && a.s == b.s && a.ints == b.ints &&
         a.floats == b.floats && a.strings == b.strings && same_tensor && a.raw == b.raw;
}

// One node that is a copy of one of the model's: are its outputs' states right for those of its inputs?
class Copy {
 public:
  Copy(const Graph& model, const RankModel& ranks, const HeldValues& held, const Node& original,
       const Node& node)
      : model_(model), ranks_(ranks), held_(held), original_(original), node_(node) {}

  Result<void> Check() {
    TRY(CheckForm());
    for (size_t i = 0; i < node_.inputs.size(); ++i) inputs_.push_back(InputState(i));
    for (const ValueId id : node_.outputs)
      outputs_.push_back(id == graph::kNoValue ? State() : held_.at(id).state);
    const bool whole =
        std::ranges::all_of(inputs_, &State::replicated) && std::ranges::all_of(outputs_, &State::replicated);
    if (whole && rewritten_.empty()) return Attributes({}, false);
    if (Regroups(node_)) return Regrouped();
    return ByLabels();
  }

 private:
  tl::unexpected<Error> Wrong(const char* what) const {
    return Fail(Code::kInternal, "node '{}' ({}): {}", node_.name, node_.op_type, what);
  }

  // The same op on the same values, in whatever state; operands that count sizes may be new ones.
  Result<void> CheckForm() {
    if (node_.op_type != original_.op_type || node_.domain != original_.domain)
      return Wrong("stands where the model has another op");
    if (node_.inputs.size() != original_.inputs.size() || node_.outputs.size() != original_.outputs.size())
      return Wrong("has another number of inputs or outputs than in the model");
    for (size_t i = 0; i < node_.inputs.size(); ++i) {
      const bool absent = node_.inputs[i] == graph::kNoValue;
      if (absent != (original_.inputs[i] == graph::kNoValue))
        return Wrong("has an input that the model's has not");
      if (absent) continue;
      const Held& held = held_.at(node_.inputs[i]);
      if (held.kind != Held::Kind::kState || !held.Plainly())
        return Wrong("takes a value in the middle of a conversion");
      if (held.of == original_.inputs[i]) continue;
      if (held.of != graph::kNoValue || !CountsSizes(i))
        return Wrong("takes another value than in the model");
      rewritten_.insert(i);
    }
    for (size_t i = 0; i < node_.outputs.size(); ++i) {
      if (node_.outputs[i] != graph::kNoValue && held_.at(node_.outputs[i]).of != original_.outputs[i])
        return Wrong("gives another value than in the model");
    }
    return {};
  }

  bool CountsSizes(size_t input) const {
    if (OneOf(node_.op_type, {"Reshape", "Expand", "Split"})) return input == 1;
    return node_.op_type == "Resize" && input == 3;
  }

  State InputState(size_t i) const {
    return node_.inputs[i] == graph::kNoValue ? State() : held_.at(node_.inputs[i]).state;
  }

  const graph::Value& In(size_t i) const { return model_.value(original_.inputs[i]); }
  const graph::Value& Out(size_t i) const { return model_.value(original_.outputs[i]); }

  // All attributes are the model's; those in `divided` are divided by the number of ranks if `divide`.
  Result<void> Attributes(const std::vector<std::string>& divided, bool divide) const {
    if (node_.attributes.size() != original_.attributes.size())
      return Wrong("has other attributes than in the model");
    for (const graph::Attribute& wanted : original_.attributes) {
      const graph::Attribute* got = node_.Find(wanted.name);
      if (got == nullptr) return Wrong("lacks an attribute that it has in the model");
      const bool counts = divide && std::ranges::find(divided, wanted.name) != divided.end();
      const bool same = counts ? got->i * ranks_.parts == wanted.i : SameContent(*got, wanted);
      if (!same && !(wanted.name == "split" && node_.op_type == "Split" && SplitSizes(got->ints)))
        return Wrong("has an attribute that is not the rank's");
    }
    return {};
  }

  Result<void> Regrouped() const {
    TRY(Attributes({}, false));
    const State& in = inputs_[0];
    const State& out = outputs_[0];
    if (std::any_of(inputs_.begin() + 1, inputs_.end(), [](const State& s) { return !s.replicated(); }))
      return Wrong("its target is not whole");
    if (in.partial() || in.replicated()) {
      if (!(out == in)) return Wrong("does not leave its input's state as it is");
    } else if (!out.split() || !SameElements(In(0), in, Out(0), out, ranks_.parts)) {
      return Fail(Code::kInternal, "node '{}' ({}): {} in {} does not hold the elements of {} in {}",
                  node_.name, node_.op_type, In(0).name, in.ToString(), Out(0).name, out.ToString());
    }
    return node_.op_type == "Reshape" || node_.op_type == "Expand" ? Target() : Result<void>();
  }

  // A target that is known before the run asks for the rank's sizes.
  Result<void> Target() const {
    const auto target = SharedIntegers(ranks_, node_.inputs[1]);
    if (!target || !Out(0).has_shape) return {};
    const Shape local = LocalShape(Out(0).shape, outputs_[0], ranks_.parts);
    const Shape input = LocalShape(In(0).shape, inputs_[0], ranks_.parts);
    if (target->size() > local.size()) return Wrong("its target has too many sizes");
    const size_t skip = local.size() - target->size();
    for (size_t i = 0; i < target->size(); ++i) {
      int64_t size = (*target)[i];
      if (size == 0 && node_.Int("allowzero", 0) == 0 && i < input.size() && node_.op_type == "Reshape")
        size = input[i];
      const bool free = size < 0 || local[i + skip] == kDynamic || (size == 1 && node_.op_type == "Expand");
      if (!free && size != local[i + skip]) return Wrong("its target is not what the rank holds");
    }
    return {};
  }

  bool SplitSizes(const std::vector<int64_t>& sizes) const {
    if (sizes.size() != node_.outputs.size()) return false;
    for (size_t i = 0; i < sizes.size(); ++i) {
      if (original_.outputs[i] == graph::kNoValue) continue;
      const Shape local = LocalShape(Out(i).shape, outputs_[i], ranks_.parts);
      if (local[JoinAxis()] != kDynamic && local[JoinAxis()] != sizes[i]) return false;
    }
    return true;
  }

  size_t JoinAxis() const {
    const int64_t axis = original_.Int("axis", 0);
    return static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(In(0).shape.size()) : axis);
  }

  Result<void> ByLabels() {
    if (OneOf(node_.op_type, {"Shape", "Size"}) && inputs_[0].partial())
      return AllOutputs(State::Replicated());
    const auto labels = LabelsOf(model_, original_);
    if (!labels) return Wrong("takes whole values only, as far as is known of its op");
    if (original_.op_type == "Split" && node_.inputs.size() > 1) TRY(SplitOperand());
    if (node_.op_type == "Expand") TRY(Target());
    if (IsJoin() && Joins()) return Joined();
    for (const SpecialCut& special : SpecialCuts(model_, original_, ranks_.parts)) {
      if (special.inputs == inputs_ && special.outputs == outputs_) return Attributes(special.divided, true);
    }
    char letter = 0;
    Cut cut;
    TRY(FindLetter(*labels, letter, cut));
    const bool even = letter != 0 && labels->even.find(letter) != std::string::npos;
    TRY(Attributes(labels->divided, even));
    if (even && (!cut.plain() || labels->units % ranks_.parts != 0))
      return Wrong("its heads or groups do not divide");
    if (letter == 0) return Linear(*labels);
    return Cutting(*labels, letter, cut);
  }

  // The one letter along which the cut inputs are cut; a whole input must not have it.
  Result<void> FindLetter(const Labels& labels, char& letter, Cut& cut) const {
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

  static bool Has(const std::vector<int>& list, size_t i) {
    return std::ranges::find(list, static_cast<int>(i)) != list.end();
  }

  // Nothing is cut: all partial inputs together are a set in which the op is linear.
  Result<void> Linear(const Labels& labels) const {
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

  Result<void> AllOutputs(const State& state) const {
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (node_.outputs[i] != graph::kNoValue && !(outputs_[i] == state))
        return Wrong("gives an output in another state");
    }
    return {};
  }

  // All inputs are whole: outputs are, too; a dimension that Expand makes may be made in parts.
  Result<void> NoneCut(const Labels& labels) const {
    if (node_.op_type != "Expand" || !outputs_[0].split()) return AllOutputs(State::Replicated());
    const char made = labels.outputs[0][static_cast<size_t>(outputs_[0].axis)];
    if (labels.inputs[0].find(made) != std::string::npos)
      return Wrong("cuts a dimension that its input has whole");
    return {};
  }

  Result<void> Cutting(const Labels& labels, char letter, const Cut& cut) const {
    ReduceOp reduce = ReduceOp::kNone;
    if (labels.summed.find(letter) != std::string::npos) reduce = ReduceOp::kSum;
    if (labels.averaged.find(letter) != std::string::npos) reduce = ReduceOp::kAvg;
    if (labels.maximal.find(letter) != std::string::npos) reduce = ReduceOp::kMax;
    if (labels.minimal.find(letter) != std::string::npos) reduce = ReduceOp::kMin;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const bool addend = Has(labels.addends, i) && original_.inputs[i] != graph::kNoValue;
      const bool term = addend && reduce != ReduceOp::kNone;
      if (term ? !(inputs_[i] == State::Partial(reduce)) : inputs_[i].partial())
        return Wrong(term ? "adds a whole input to every rank's partial sum"
                          : "mixes partial and cut inputs");
    }
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

  bool TiledAlong(char letter, const Labels& labels) const {
    return labels.outputs[0].find(letter) == std::string::npos;
  }

  // A repeated dimension holds its cut once for every repetition.
  Result<void> Tiled(const Cut& cut) const {
    const auto axis = static_cast<size_t>(inputs_[0].axis);
    const int64_t size = In(0).shape[axis];
    const int64_t whole = Out(0).shape[axis];
    if (size == kDynamic || whole == kDynamic || size == 0) return Wrong("its sizes are not known");
    std::vector<std::pair<Cut, int64_t>> pieces(static_cast<size_t>(whole / size), {cut, size});
    if (!(outputs_[0] == State::Split(inputs_[0].axis, SideBySide(pieces))))
      return Wrong("gives an output in another state");
    return {};
  }

  bool IsJoin() const { return original_.op_type == "Concat" || original_.op_type == "Split"; }

  bool Joins() const { return inputs_[0].split() && static_cast<size_t>(inputs_[0].axis) == JoinAxis(); }

  static Cut SideBySide(const std::vector<std::pair<Cut, int64_t>>& pieces) {
    std::vector<Run> runs;
    int64_t size = 0;
    for (const auto& [cut, piece] : pieces) {
      if (cut.plain())
        runs.push_back({piece, 1});
      else
        runs.insert(runs.end(), cut.runs().begin(), cut.runs().end());
      size += piece;
    }
    return Cut::Of(runs, size);
  }

  // Pieces side by side along the dimension that is cut: the whole is cut piece by piece.
  Result<void> Joined() const {
    const bool concat = original_.op_type == "Concat";
    const auto& states = concat ? inputs_ : outputs_;
    const std::vector<ValueId>& ids = concat ? original_.inputs : original_.outputs;
    std::vector<std::pair<Cut, int64_t>> pieces;
    for (size_t i = 0; i < ids.size(); ++i) {
      const int64_t size = model_.value(ids[i]).shape[JoinAxis()];
      if (!states[i].split() || static_cast<size_t>(states[i].axis) != JoinAxis() || size == kDynamic)
        return Wrong("its pieces are not all cut along the dimension that joins them");
      if (!states[i].cut.Divides(size, ranks_.parts)) return Wrong("a piece does not divide");
      pieces.emplace_back(states[i].cut, size);
    }
    const State whole = State::Split(static_cast<int>(JoinAxis()), SideBySide(pieces));
    if (!((concat ? outputs_[0] : inputs_[0]) == whole))
      return Wrong("the whole is not cut as its pieces are");
    return Attributes({}, false);
  }

  Result<void> SplitOperand() const {
    const auto sizes = SharedIntegers(ranks_, node_.inputs[1]);
    if (sizes && !SplitSizes(*sizes)) return Wrong("its sizes are not those of the rank's pieces");
    return {};
  }

  const Graph& model_;
  const RankModel& ranks_;
  const HeldValues& held_;
  const Node& original_;
  const Node& node_;
  std::vector<State> inputs_;
  std::vector<State> outputs_;
  std::set<size_t> rewritten_;
};

class Checker {
 public:
  Checker(const Graph& model, const RankModel& ranks) : model_(model), ranks_(ranks), graph_(ranks.graph) {}

  Result<void> Run() {
    TRY(Inputs());
    for (const auto& [id, constant] : ranks_.constants) TRY(Constant(id, constant));
    for (const Node& node : graph_.nodes()) TRY(Visit(node));
    if (collectives_ != ranks_.collectives.size())
      return Fail(Code::kInternal, "the plan lists {} collectives, the graph has {}",
                  ranks_.collectives.size(), collectives_);
    return Outputs();
  }

 private:
  const graph::Value& Value(ValueId id) const { return graph_.value(id); }

  Result<void> Inputs() {
    if (graph_.inputs().size() != model_.inputs().size() || ranks_.inputs.size() != model_.inputs().size())
      return Fail(Code::kInternal, "the rank graph has {} inputs, the model {}", graph_.inputs().size(),
                  model_.inputs().size());
    for (size_t i = 0; i < graph_.inputs().size(); ++i) {
      const ValueId id = graph_.inputs()[i];
      const State& state = ranks_.inputs[i];
      if (Value(id).name != model_.value(model_.inputs()[i]).name || state.partial() || !state.cut.plain())
        return Fail(Code::kInternal, "input '{}': not one of the model's, or in {}", Value(id).name,
                    state.ToString());
      held_[id] = {Held::Kind::kState, state, model_.inputs()[i]};
      TRY(LocalType(id));
    }
    return {};
  }

  Result<void> Constant(ValueId id, const RankConstant& constant) {
    Held& held = held_[id];
    const auto origin = ranks_.origin.find(id);
    if (!constant.by_rank.empty()) {
      held.kind = Held::Kind::kPerRank;
      return {};
    }
    held = {Held::Kind::kState, constant.state,
            origin == ranks_.origin.end() ? graph::kNoValue : origin->second.first};
    if (origin == ranks_.origin.end())
      return constant.state.replicated()
                 ? Result<void>()
                 : Fail(Code::kInternal, "constant '{}' is cut, but none of the model's", Value(id).name);
    const graph::Value& whole = model_.value(origin->second.first);
    const bool same =
        whole.constant && constant.whole && whole.constant->bytes.data() == constant.whole->bytes.data() &&
        whole.constant->shape == constant.whole->shape && origin->second.second == constant.state;
    if (!same) return Fail(Code::kInternal, "constant '{}' is not the model's", Value(id).name);
    if (constant.state.split() &&
        !constant.state.cut.Divides(whole.shape.at(static_cast<size_t>(constant.state.axis)), ranks_.parts))
      return Fail(Code::kInternal, "constant '{}' does not divide over {} ranks", Value(id).name,
                  ranks_.parts);
    return LocalType(id);
  }

  // Type and shape are those of the state.
  Result<void> LocalType(ValueId id) const {
    const Held& held = held_.at(id);
    const graph::Value& whole = model_.value(held.of);
    const graph::Value& value = Value(id);
    if (value.type != whole.type)
      return Fail(Code::kInternal, "value '{}' is {}, in the model {}", value.name, DTypeName(value.type),
                  DTypeName(whole.type));
    if (!value.has_shape || !whole.has_shape) return {};
    const Shape wanted = LocalShape(whole.shape, held.state, ranks_.parts);
    if (value.shape == wanted) return {};
    return Fail(Code::kInternal, "value '{}' is {}, a rank holds {} of {} in {}", value.name,
                ToString(value.shape), ToString(wanted), ToString(whole.shape), held.state.ToString());
  }

  Result<void> Visit(const Node& node) {
    for (const ValueId id : node.inputs) {
      if (id != graph::kNoValue && !held_.contains(id))
        return Fail(Code::kInternal, "node '{}' reads '{}' before it is made", node.name, Value(id).name);
    }
    for (const auto& attribute : node.attributes) {
      for (const ValueId id : attribute.captured) {
        const auto found = held_.find(id);
        if (found == held_.end() || !found->second.Whole())
          return Fail(Code::kInternal, "a subgraph of node '{}' reads '{}', which is not whole", node.name,
                      Value(id).name);
      }
    }
    if (node.op_type == dist::kOpType) TRY(Collective(node));
    const ValueId first = FirstOutput(node);
    const auto origin = first == graph::kNoValue ? ranks_.origin.end() : ranks_.origin.find(first);
    if (origin == ranks_.origin.end()) return Helper(node);
    return Bearing(node, origin->second.first);
  }

  static ValueId FirstOutput(const Node& node) {
    const auto found = std::ranges::find_if(node.outputs, [](ValueId id) { return id != graph::kNoValue; });
    return found == node.outputs.end() ? graph::kNoValue : *found;
  }

  bool ConvertsA(const Node& node) const {
    return !node.inputs.empty() && node.inputs[0] != graph::kNoValue &&
           held_.at(node.inputs[0]).of != graph::kNoValue;
  }

  // A node none of whose outputs is a value of the model.
  Result<void> Helper(const Node& node) {
    const bool whole = std::ranges::all_of(
        node.inputs, [&](ValueId id) { return id == graph::kNoValue || held_.at(id).Whole(); });
    Held to{whole ? Held::Kind::kState : Held::Kind::kOpaque, {}, graph::kNoValue};
    if (!whole && ConvertsA(node) &&
        OneOf(node.op_type, {"Transpose", "Gather", "Split", "Concat", dist::kOpType})) {
      TRY_ASSIGN(to, Convert(node));
    } else if (node.op_type == dist::kOpType) {
      return Fail(Code::kInternal, "collective '{}' is given a value that is whole, or none of the model's",
                  node.name);
    }
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) held_[id] = to;
    }
    return {};
  }

  Result<Held> Convert(const Node& node) const {
    std::string why;
    auto held = Converted(model_, ranks_, held_, node, why);
    if (!held) return Fail(Code::kInternal, "node '{}' ({}): {}", node.name, node.op_type, why);
    return *held;
  }

  // A node that makes values of the model: by their own op, or from another state of the same value.
  Result<void> Bearing(const Node& node, ValueId original) {
    const ValueId first = FirstOutput(node);
    if (ConvertsA(node) && held_.at(node.inputs[0]).of == original) {
      TRY_ASSIGN(const Held to, Convert(node));
      if (!to.Plainly() || !(to.state == ranks_.origin.at(first).second))
        return Fail(Code::kInternal, "node '{}' ({}): makes {} of '{}', wanted {}", node.name, node.op_type,
                    to.Plainly() ? to.state.ToString() : "a part of a conversion",
                    model_.value(original).name, ranks_.origin.at(first).second.ToString());
      held_[first] = to;
      return LocalType(first);
    }
    const graph::NodeId producer = model_.value(original).producer;
    if (producer == graph::kNoNode)
      return Fail(Code::kInternal, "node '{}' makes '{}', which no node of the model does", node.name,
                  Value(first).name);
    for (const ValueId id : node.outputs) {
      if (id == graph::kNoValue) continue;
      const auto origin = ranks_.origin.find(id);
      if (origin == ranks_.origin.end())
        return Fail(Code::kInternal, "output '{}' of node '{}' is none of the model's", Value(id).name,
                    node.name);
      held_[id] = {Held::Kind::kState, origin->second.second, origin->second.first};
    }
    const Node& copied = model_.node(producer);
    if (IsScaledShape(node, copied)) return {};
    TRY(Copy(model_, ranks_, held_, copied, node).Check());
    for (const ValueId id : node.outputs) {
      if (id != graph::kNoValue) TRY(LocalType(id));
    }
    return {};
  }

  // The sizes of a cut value times the number of ranks where the cut is.
  bool IsScaledShape(const Node& node, const Node& copied) const {
    if (node.op_type != "Mul" || !OneOf(copied.op_type, {"Shape", "Size"}) ||
        !held_.at(node.outputs[0]).state.replicated())
      return false;
    const graph::NodeId producer = Value(node.inputs[0]).producer;
    const auto factors = SharedIntegers(ranks_, node.inputs[1]);
    if (producer == graph::kNoNode || !factors) return false;
    const Node& local = graph_.node(producer);
    const Held& read = held_.at(local.inputs[0]);
    if (local.op_type != copied.op_type || !read.Plainly() || read.of != copied.inputs[0] ||
        !read.state.split())
      return false;
    if (copied.op_type == "Size") return *factors == std::vector<int64_t>{ranks_.parts};
    const auto rank = static_cast<int64_t>(model_.value(copied.inputs[0]).shape.size());
    if (local.Int("start", 0) != copied.Int("start", 0) || local.Int("end", rank) != copied.Int("end", rank))
      return false;
    int64_t start = copied.Int("start", 0);
    start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
    for (size_t i = 0; i < factors->size(); ++i) {
      const bool cut = static_cast<int64_t>(i) + start == read.state.axis;
      if ((*factors)[i] != (cut ? ranks_.parts : 1)) return false;
    }
    return true;
  }

  // The next one of the plan, with all its attributes.
  Result<void> Collective(const Node& node) {
    const auto wrong = [&](const char* what) {
      return Fail(Code::kInternal, "collective '{}': {}", node.name, what);
    };
    if (collectives_ == ranks_.collectives.size()) return wrong("is not in the plan");
    const plan::CollectivePlan& planned = ranks_.collectives[collectives_++];
    if (node.domain != dist::kDomain || node.inputs.size() != 1 || node.outputs.size() != 1)
      return wrong("has not one input and one output, or stands in another domain");
    for (const char* name : {dist::kOperation, dist::kReduceOp, dist::kRoot, dist::kRankCount, dist::kGroups,
                             dist::kGroupSize}) {
      if (node.Find(name) == nullptr) return wrong("lacks an attribute");
    }
    if (node.name != planned.name || node.String(dist::kOperation, "") != Name(planned.op) ||
        node.String(dist::kReduceOp, "") != Name(planned.reduce))
      return wrong("is not the one that the plan lists in its place");
    if (node.Int(dist::kRankCount, 0) != ranks_.parts) return wrong("its nb_rank is not the number of ranks");
    if (node.Int(dist::kRoot, 0) != dist::kNoRoot || !node.Ints(dist::kGroups).empty() ||
        node.Int(dist::kGroupSize, -1) != 0)
      return wrong("is not one of all ranks");
    const graph::Value& sent = Value(node.inputs[0]);
    if (sent.type != planned.type || (sent.has_shape && sent.shape != planned.shape))
      return wrong("sends another shape than planned");
    return {};
  }

  Result<void> Outputs() const {
    if (graph_.outputs().size() != model_.outputs().size() ||
        ranks_.outputs.size() != model_.outputs().size())
      return Fail(Code::kInternal, "the rank graph has {} outputs, the model {}", graph_.outputs().size(),
                  model_.outputs().size());
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ValueId wanted = model_.outputs()[i];
      const auto found = held_.find(graph_.outputs()[i]);
      const std::string& name = model_.value(wanted).name;
      if (found == held_.end() || !found->second.Plainly() || found->second.of != wanted)
        return Fail(Code::kInternal, "output '{}' is another value", name);
      const State& state = found->second.state;
      if (!(state == ranks_.outputs[i]) || state.partial() || !state.cut.plain())
        return Fail(Code::kInternal, "output '{}' is left in {}, the plan says {}", name, state.ToString(),
                    ranks_.outputs[i].ToString());
      if (Value(graph_.outputs()[i]).name != name)
        return Fail(Code::kInternal, "output '{}' is called '{}'", name, Value(graph_.outputs()[i]).name);
    }
    return {};
  }

  const Graph& model_;
  const RankModel& ranks_;
  const Graph& graph_;
  HeldValues held_;
  size_t collectives_ = 0;
};

}  // namespace

Result<void> CheckRankModel(const Graph& model, const RankModel& ranks) {
  return Checker(model, ranks).Run();
}

Result<void> CheckLocalShapes(const RankModel& ranks, graph::ShapeOracle& oracle) {
  Graph inferred = ranks.graph;
  for (const graph::Value& value : ranks.graph.values()) {
    if (value.producer == graph::kNoNode) continue;
    graph::Value& open = inferred.value(*inferred.FindValue(value.name));
    open.has_shape = false;
    open.shape.clear();
    open.symbols.clear();
  }
  TRY(oracle.Infer(inferred));
  for (size_t v = 0; v < ranks.graph.values().size(); ++v) {
    const graph::Value& declared = ranks.graph.values()[v];
    const graph::Value& found = inferred.values()[v];
    if (!declared.has_shape || !found.has_shape) continue;
    const bool fits = std::ranges::equal(declared.shape, found.shape, [](int64_t a, int64_t b) {
      return a == b || a == kDynamic || b == kDynamic;
    });
    if (!fits)
      return Fail(Code::kInternal, "value '{}' is declared {}, its ops make {}", declared.name,
                  ToString(declared.shape), ToString(found.shape));
  }
  return {};
}

}  // namespace tessera::shard
