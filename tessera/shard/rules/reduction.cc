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

// TopK can tell the largest from the smallest and sends what collectives take.
bool FindsAcross(const OpView& op, int axis) {
  const graph::Value& x = op.input(0);
  const bool sent = x.type == DType::kFloat32 || x.type == DType::kFloat16 || x.type == DType::kInt32 ||
                    x.type == DType::kInt64;
  return op.opset() >= 11 && sent && x.shape[static_cast<size_t>(axis)] != kDynamic;
}

// The axis may be cut: every rank's best are gathered, two values (what and where) for each.
void LookAcross(std::optional<Rule>& rule, int axis, int64_t count) {
  const FactorDim& dim = rule->inputs[0][static_cast<size_t>(axis)];
  rule->across = Across{dim.front(), count, CollectiveOp::kAllGather, count, 0, 6};
}

// ArgMax, ArgMin: one axis, dropped unless keepdims. Of equal elements the first wins, which parts in order
// keep.
std::optional<Rule> ArgReduce(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", 0, rank);
  const bool keep = op.node().Int("keepdims", 1) != 0;
  const bool across = op.node().Int("select_last_index", 0) == 0 && FindsAcross(op, axis);
  std::string in;
  std::string out;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const char letter = static_cast<char>('a' + i);
    in += i == axis && !across ? ". " : std::string{letter, ' '};
    if (i != axis) out += {letter, ' '};
    if (i == axis && keep) out += ". ";
  }
  auto rule = ReadRule(op, in + " -> " + (out.empty() ? "()" : out));
  if (rule && across) LookAcross(rule, axis, 1);
  return rule;
}

std::optional<Rule> CumSum(const OpView& op) {
  const auto axis = op.Integers(1);
  if (!op.input(0).has_shape || !axis || axis->size() != 1) return std::nullopt;
  const auto rank = static_cast<int64_t>(op.input(0).shape.size());
  return PassThrough(op, {static_cast<int>((*axis)[0] < 0 ? (*axis)[0] + rank : (*axis)[0])});
}

// The k largest along one axis: values and their places. In parts where every rank can give k of them, in
// order.
std::optional<Rule> TopK(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", -1, rank);
  const auto k = op.inputs() > 1 ? op.Integers(1) : std::nullopt;
  const bool across =
      k && k->size() == 1 && (*k)[0] > 0 && op.node().Int("sorted", 1) != 0 && FindsAcross(op, axis);
  std::string in;
  std::string out;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const std::string letter{static_cast<char>('a' + i), ' '};
    in += i == axis && !across ? ". " : letter;
    out += i == axis ? ". " : letter;
  }
  auto rule = ReadRule(op, in + ", () -> " + out + ", " + out);
  if (rule && across) LookAcross(rule, axis, (*k)[0]);
  return rule;
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
