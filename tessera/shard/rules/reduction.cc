// Reductions: kept dimensions pass; a reduced one may be cut where the partial results can be combined.
#include <algorithm>

#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// The axes reduced over, from the attribute (older opsets) or the constant input; nullopt when not known.
std::optional<std::vector<int64_t>> ReducedAxes(const OpView& op) {
  if (op.has_input(1)) return op.Integers(1);
  return op.node().Ints("axes");
}

RuleMaker Reduce(std::string_view mark, bool linear) {
  return [mark = std::string(mark), linear](const OpView& op) -> std::optional<Rule> {
    const auto axes = ReducedAxes(op);
    if (!op.input(0).has_shape || !axes) return std::nullopt;
    const size_t rank = op.input(0).shape.size();
    if (axes->empty() && op.node().Int("noop_with_empty_axes", 0) != 0) return PassThrough(op);
    const bool keep = op.node().Int("keepdims", 1) != 0;
    std::string in;
    std::string out;
    for (size_t i = 0; i < rank; ++i) {
      const auto here = static_cast<int64_t>(i);
      const bool reduced = axes->empty() || std::any_of(axes->begin(), axes->end(), [&](int64_t a) {
                             return (a < 0 ? a + static_cast<int64_t>(rank) : a) == here;
                           });
      const char letter = static_cast<char>('a' + i);
      in += letter + (reduced ? mark : std::string()) + " ";
      if (!reduced) out += {letter, ' '};
      if (reduced && keep) out += ". ";
    }
    auto rule = ReadRule(op, in + ", () -> " + (out.empty() ? "()" : out));
    if (rule && linear) rule->linear = {{0}};
    return rule;
  };
}

// ArgMax, ArgMin, CumSum, TopK: one axis whole. ArgMax drops it unless keepdims.
std::optional<Rule> ArgReduce(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", 0, rank);
  const bool keep = op.node().Int("keepdims", 1) != 0;
  std::string in;
  std::string out;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const char letter = static_cast<char>('a' + i);
    in += i == axis ? ". " : std::string{letter, ' '};
    if (i != axis) out += {letter, ' '};
    if (i == axis && keep) out += ". ";
  }
  return ReadRule(op, in + " -> " + (out.empty() ? "()" : out));
}

std::optional<Rule> CumSum(const OpView& op) {
  const auto axis = op.Integers(1);
  if (!op.input(0).has_shape || !axis || axis->size() != 1) return std::nullopt;
  const auto rank = static_cast<int64_t>(op.input(0).shape.size());
  return PassThrough(op, {static_cast<int>((*axis)[0] < 0 ? (*axis)[0] + rank : (*axis)[0])});
}

// The k largest along one axis, which stays whole: values and their places.
std::optional<Rule> TopK(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", -1, rank);
  std::string words;
  for (int i = 0; i < static_cast<int>(rank); ++i)
    words += i == axis ? ". " : std::string{static_cast<char>('a' + i), ' '};
  return ReadRule(op, words + ", () -> " + words + ", " + words);
}

}  // namespace

void AddReductions(RuleTable& table) {
  table["ReduceSum"] = Reduce("+", true);
  table["ReduceMean"] = [](const OpView& op) {
    // A mean of integers is rounded: means of the parts give another one.
    const bool exact = op.inputs() > 0 && IsFloat(op.input(0).type);
    return exact ? Reduce("~", true)(op) : Reduce("!", false)(op);
  };
  table["ReduceMax"] = Reduce(">", false);
  table["ReduceMin"] = Reduce("<", false);
  for (const char* name :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare"}) {
    table[name] = Reduce("!", false);
  }
  table["ArgMax"] = table["ArgMin"] = ArgReduce;
  table["CumSum"] = CumSum;
  table["TopK"] = TopK;
}

}  // namespace tessera::shard
