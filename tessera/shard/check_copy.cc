#include "tessera/shard/check_copy.h"

#include <algorithm>

#include "tessera/shard/check_flat.h"
#include "tessera/shard/check_rank_graph.h"
#include "tessera/shard/check_special.h"

namespace tessera::shard::check {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

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

}  // namespace

bool OneOf(const std::string& op, std::initializer_list<const char*> names) {
  return std::find(names.begin(), names.end(), op) != names.end();
}

bool IsScaledShape(const Graph& model, const RankModel& ranks, const HeldValues& held, const Node& node,
                   const Node& copied) {
  if (node.op_type != "Mul" || !OneOf(copied.op_type, {"Shape", "Size"}) ||
      !held.at(node.outputs[0]).state.replicated())
    return false;
  const graph::NodeId producer = ranks.graph.value(node.inputs[0]).producer;
  const auto factors = SharedIntegers(ranks, node.inputs[1]);
  if (producer == graph::kNoNode || !factors) return false;
  const Node& local = ranks.graph.node(producer);
  const Held& read = held.at(local.inputs[0]);
  const int64_t pieces = Pieces(read.state, ranks.parts);
  if (local.op_type != copied.op_type || !read.Plainly() || read.of != copied.inputs[0] ||
      !read.state.split())
    return false;
  if (copied.op_type == "Size") return *factors == std::vector<int64_t>{pieces};
  const auto rank = static_cast<int64_t>(model.value(copied.inputs[0]).shape.size());
  if (local.Int("start", 0) != copied.Int("start", 0) || local.Int("end", rank) != copied.Int("end", rank))
    return false;
  int64_t start = copied.Int("start", 0);
  start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
  for (size_t i = 0; i < factors->size(); ++i) {
    const bool cut = static_cast<int64_t>(i) + start == read.state.axis;
    if ((*factors)[i] != (cut ? pieces : 1)) return false;
  }
  return true;
}

Result<void> Copy::Check() {
  TRY(CheckForm());
  for (size_t i = 0; i < node_.inputs.size(); ++i) inputs_.push_back(InputState(i));
  for (const ValueId id : node_.outputs)
    outputs_.push_back(id == graph::kNoValue ? State() : held_.at(id).state);
  const bool whole =
      std::ranges::all_of(inputs_, &State::replicated) && std::ranges::all_of(outputs_, &State::replicated);
  if (whole && rewritten_.empty()) return Attributes({});
  if (Regroups(node_)) return Regrouped();
  return ByLabels();
}

tl::unexpected<Error> Copy::Wrong(const char* what) const {
  return Fail(Code::kInternal, "node '{}' ({}): {}", node_.name, node_.op_type, what);
}

Result<void> Copy::CheckForm() {
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
    if (held.of != graph::kNoValue || !CountsSizes(i)) return Wrong("takes another value than in the model");
    rewritten_.insert(i);
  }
  for (size_t i = 0; i < node_.outputs.size(); ++i) {
    if (node_.outputs[i] != graph::kNoValue && held_.at(node_.outputs[i]).of != original_.outputs[i])
      return Wrong("gives another value than in the model");
  }
  return {};
}

bool Copy::CountsSizes(size_t input) const {
  if (OneOf(node_.op_type, {"Reshape", "Expand", "Split"})) return input == 1;
  return node_.op_type == "Resize" && input == 3;
}

State Copy::InputState(size_t i) const {
  return node_.inputs[i] == graph::kNoValue ? State() : held_.at(node_.inputs[i]).state;
}

Result<void> Copy::Attributes(const Divisors& divided) const {
  if (node_.attributes.size() != original_.attributes.size())
    return Wrong("has other attributes than in the model");
  for (const graph::Attribute& wanted : original_.attributes) {
    const graph::Attribute* got = node_.Find(wanted.name);
    if (got == nullptr) return Wrong("lacks an attribute that it has in the model");
    const auto counts = divided.find(wanted.name);
    const bool same =
        counts != divided.end() ? got->i * counts->second == wanted.i : SameContent(*got, wanted);
    if (!same && !(wanted.name == "split" && node_.op_type == "Split" && SplitSizes(got->ints)))
      return Wrong("has an attribute that is not the rank's");
  }
  return {};
}

Result<void> Copy::Regrouped() const {
  TRY(Attributes({}));
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

Result<void> Copy::Target() const {
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

Result<void> Copy::ByLabels() {
  if (OneOf(node_.op_type, {"Shape", "Size"}) && inputs_[0].partial()) return AllOutputs(State::Replicated());
  const auto labels = LabelsOf(model_, original_);
  if (!labels) return Wrong("takes whole values only, as far as is known of its op");
  if (original_.op_type == "Split" && node_.inputs.size() > 1) TRY(SplitOperand());
  if (node_.op_type == "Expand") TRY(Target());
  if (IsJoin() && Joins()) return Joined();
  for (const SpecialCut& special : SpecialCuts(model_, original_, ranks_.parts)) {
    if (special.inputs == inputs_ && special.outputs == outputs_) return Attributes(special.divided);
  }
  char letter = 0;
  Cut cut;
  TRY(FindLetter(*labels, letter, cut));
  const bool even = letter != 0 && labels->even.find(letter) != std::string::npos;
  Divisors divided;
  for (const std::string& name : labels->divided) {
    if (even) divided[name] = cut.Pieces(ranks_.parts);
  }
  TRY(Attributes(divided));
  if (even && (!cut.one_segment() || labels->units % cut.Pieces(ranks_.parts) != 0))
    return Wrong("its heads or groups do not divide");
  if (letter == 0) return Linear(*labels);
  return Cutting(*labels, letter, cut);
}

}  // namespace tessera::shard::check
