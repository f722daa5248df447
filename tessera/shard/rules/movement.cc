// Ops that only move elements: what was partial stays partial.
#include <algorithm>

#include "tessera/shard/notation.h"
#include "tessera/shard/rules/factor_chain.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

std::optional<Rule> Moved(std::optional<Rule> rule, std::vector<Edit> edits = {}) {
  if (!rule) return rule;
  rule->linear = {{0}};
  rule->edits = std::move(edits);
  return rule;
}

std::string Letter(int i) {
  return {static_cast<char>('a' + i), ' '};
}

std::optional<Rule> Transpose(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const int rank = static_cast<int>(op.input(0).shape.size());
  std::vector<int64_t> order = op.node().Ints("perm");
  if (order.empty()) {
    for (int i = rank; i-- > 0;) order.push_back(i);
  }
  std::string in;
  std::string out;
  for (int i = 0; i < rank; ++i) {
    in += Letter(i);
    out += Letter(static_cast<int>(order[static_cast<size_t>(i)]));
  }
  return Moved(ReadRule(op, in + "->" + out));
}

// A reshape by factors; input 1, where it is a shape, is rewritten for the rank's sizes.
std::optional<Rule> Regroup(const OpView& op, std::vector<Edit> edits) {
  if (!op.input(0).has_shape || !op.output(0).has_shape) return std::nullopt;
  Rule rule = FactorChain(op.input(0), op.output(0));
  for (int i = 1; i < op.inputs(); ++i) {
    rule.inputs.emplace_back(op.has_input(i) && op.input(i).has_shape ? op.input(i).shape.size() : 0);
  }
  return Moved(std::move(rule), std::move(edits));
}

std::optional<Rule> Reshape(const OpView& op) {
  if (!op.has_input(1)) return std::nullopt;  // opset < 5: the shape is an attribute
  return Regroup(op, {{Edit::Kind::kShapeOperand, 1, 0, ""}});
}

// The axes of Squeeze and Unsqueeze, attribute or input; nullopt when not known.
std::optional<std::vector<int64_t>> Axes(const OpView& op) {
  if (op.has_input(1)) return op.Integers(1);
  return op.node().Ints("axes");
}

// The dimensions of the longer side, those in `axes` of size 1 and gone on the shorter one.
std::optional<Rule> WithOnes(const OpView& op, bool squeeze) {
  const auto axes = Axes(op);
  const graph::Value& longer = squeeze ? op.input(0) : op.output(0);
  if (!axes || axes->empty() || !longer.has_shape) return Regroup(op, {});
  std::string with;
  std::string without;
  const int rank = static_cast<int>(longer.shape.size());
  for (int i = 0; i < rank; ++i) {
    const bool one =
        std::any_of(axes->begin(), axes->end(), [&](int64_t a) { return (a < 0 ? a + rank : a) == i; });
    with += one ? ". " : Letter(i);
    if (!one) without += Letter(i);
  }
  if (without.empty()) without = "()";
  return Moved(squeeze ? ReadRule(op, with + ", () -> " + without)
                       : ReadRule(op, without + ", () -> " + with));
}

std::optional<Rule> Expand(const OpView& op) {
  return Moved(ReadRule(op, "*, () -> *"), {{Edit::Kind::kShapeOperand, 1, 0, ""}});
}

// Dimensions repeated once pass; another one becomes (repetition, dimension).
std::optional<Rule> Tile(const OpView& op) {
  const auto repeats = op.Integers(1);
  if (!repeats || !op.input(0).has_shape || repeats->size() != op.input(0).shape.size()) return std::nullopt;
  std::string in;
  std::string out;
  std::map<char, int64_t> sizes;
  for (size_t i = 0; i < repeats->size(); ++i) {
    const std::string letter = Letter(static_cast<int>(i));
    const char repetition = static_cast<char>('A' + i);
    in += letter;
    if ((*repeats)[i] == 1) {
      out += letter;
      continue;
    }
    out += "(" + std::string{repetition} + "! " + letter + ") ";
    sizes[repetition] = (*repeats)[i];
  }
  return Moved(ReadRule(op, in + ", () -> " + out, sizes));
}

// The dimensions beside `axis` hang together over all operands; along it the pieces make up the whole.
std::optional<Rule> Joined(const OpView& op, int axis, bool inputs_are_pieces) {
  const int rank = static_cast<int>(op.input(0).shape.size());
  std::string words;
  for (int i = 0; i < rank; ++i) words += i == axis ? ". " : Letter(i);
  const auto several = [&](int n) {
    std::string text = words;
    for (int i = 1; i < n; ++i) text += ", " + words;
    return text;
  };
  auto rule = inputs_are_pieces ? ReadRule(op, several(op.inputs()) + " -> " + words)
                                : ReadRule(op, words + ", () -> " + several(op.outputs()));
  if (rule) rule->join = Join{axis, inputs_are_pieces};
  return rule;
}

std::optional<Rule> Concat(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  auto rule = Joined(op, op.Axis("axis", 0, op.input(0).shape.size()), true);
  if (!rule) return rule;
  std::vector<int> all;
  for (int i = 0; i < op.inputs(); ++i) all.push_back(i);
  rule->linear = {all};
  return rule;
}

std::optional<Rule> Split(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  auto rule = Moved(Joined(op, op.Axis("axis", 0, op.input(0).shape.size()), false));
  if (!rule) return rule;
  if (op.has_input(1)) rule->edits = {{Edit::Kind::kDivideOperand, 1, kJoinFactor, ""}};
  if (op.node().Find("split") != nullptr)
    rule->edits = {{Edit::Kind::kDivideAttribute, 0, kJoinFactor, "split"}};
  return rule;
}

// Which dimensions a Slice leaves whole: those it does not name. nullopt when the axes are not known.
std::optional<std::vector<int>> SlicedAxes(const OpView& op, int rank) {
  std::optional<std::vector<int64_t>> axes;
  if (op.opset() < 10) {
    axes = op.node().Ints("axes");
    if (axes->empty()) axes.reset();
  } else if (op.has_input(3)) {
    axes = op.Integers(3);
    if (!axes) return std::nullopt;
  }
  std::vector<int> sliced;
  if (!axes) {
    for (int i = 0; i < rank; ++i) sliced.push_back(i);
    return sliced;
  }
  for (const int64_t a : *axes) sliced.push_back(static_cast<int>(a < 0 ? a + rank : a));
  return sliced;
}

std::optional<Rule> Slice(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const int rank = static_cast<int>(op.input(0).shape.size());
  const auto sliced = SlicedAxes(op, rank);
  if (!sliced) return std::nullopt;
  std::string words;
  for (int i = 0; i < rank; ++i) {
    words += std::find(sliced->begin(), sliced->end(), i) != sliced->end() ? ". " : Letter(i);
  }
  return Moved(ReadRule(op, words + ", (), (), (), () -> " + words));
}

}  // namespace

std::optional<Rule> PassThrough(const OpView& op, const std::vector<int>& whole) {
  if (!op.input(0).has_shape) return std::nullopt;
  const int rank = static_cast<int>(op.input(0).shape.size());
  std::string words;
  for (int i = 0; i < rank; ++i) {
    words += std::find(whole.begin(), whole.end(), i) != whole.end() ? ". " : Letter(i);
  }
  if (words.empty()) words = "()";
  std::string text = words;
  for (int i = 1; i < op.inputs(); ++i) text += ", ()";
  text += " -> " + words;
  for (int i = 1; i < op.outputs(); ++i) text += ", ()";
  return ReadRule(op, text);
}

std::string WholeDims(size_t count, char first) {
  std::string text;
  for (size_t i = 0; i < count; ++i) text += {static_cast<char>(first + static_cast<char>(i)), '!', ' '};
  return text;
}

void AddMovement(RuleTable& table) {
  table["Transpose"] = Transpose;
  table["Reshape"] = Reshape;
  table["Flatten"] = [](const OpView& op) { return Regroup(op, {}); };
  table["Squeeze"] = [](const OpView& op) { return WithOnes(op, true); };
  table["Unsqueeze"] = [](const OpView& op) { return WithOnes(op, false); };
  table["Expand"] = Expand;
  table["Tile"] = Tile;
  table["Concat"] = Concat;
  table["Split"] = Split;
  table["Slice"] = Slice;
}

}  // namespace tessera::shard
