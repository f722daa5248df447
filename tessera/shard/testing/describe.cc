#include "tessera/shard/testing/describe.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace tessera::shard::testing {
namespace {

std::string Letter(int factor) {
  return {static_cast<char>(factor < 26 ? 'a' + factor : 'A' + factor - 26)};
}

std::string Mark(const Factor& factor) {
  std::string mark = factor.whole ? "!" : "";
  switch (factor.reduce) {
    case ReduceOp::kSum:
      return mark + "+";
    case ReduceOp::kMax:
      return mark + ">";
    case ReduceOp::kMin:
      return mark + "<";
    case ReduceOp::kAvg:
      return mark + "~";
    default:
      return mark;
  }
}

std::string DimText(const FactorDim& dim) {
  if (dim.empty()) return ".";
  std::vector<std::string> letters;
  for (const int f : dim) letters.push_back(Letter(f));
  return dim.size() == 1 ? letters[0] : fmt::format("({})", fmt::join(letters, " "));
}

std::string Operands(const std::vector<FactorShape>& shapes) {
  std::vector<std::string> texts;
  for (const FactorShape& shape : shapes) {
    std::vector<std::string> dims;
    for (const FactorDim& dim : shape) dims.push_back(DimText(dim));
    texts.push_back(dims.empty() ? "()" : fmt::format("{}", fmt::join(dims, " ")));
  }
  return fmt::format("{}", fmt::join(texts, ", "));
}

}  // namespace

std::string Describe(const Rule& rule) {
  std::string text;
  for (size_t f = 0; f < rule.factors.size(); ++f) {
    const Factor& factor = rule.factors[f];
    const std::string size = factor.size == kDynamic ? "?" : fmt::format("{}", factor.size);
    text += fmt::format("{}={}{} ", Letter(static_cast<int>(f)), size, Mark(factor));
  }
  text += fmt::format("| {} -> {}", Operands(rule.inputs), Operands(rule.outputs));
  for (const auto& set : rule.linear) text += fmt::format(" linear({})", fmt::join(set, ","));
  if (!rule.addends.empty()) text += fmt::format(" addends({})", fmt::join(rule.addends, ","));
  if (!rule.shape_only.empty()) text += fmt::format(" shape_only({})", fmt::join(rule.shape_only, ","));
  if (!rule.weights.empty()) text += fmt::format(" weights({})", fmt::join(rule.weights, ","));
  if (rule.looked_up != kNoFactor) text += fmt::format(" looked_up({})", Letter(rule.looked_up));
  if (rule.across) text += fmt::format(" across({})", Letter(rule.across->factor));
  if (rule.join)
    text += fmt::format(" join(axis {}, {})", rule.join->axis,
                        rule.join->inputs_are_pieces ? "inputs are pieces" : "outputs are pieces");
  return text;
}

std::string Describe(const Row& row) {
  std::vector<std::string> inputs;
  std::vector<std::string> outputs;
  for (const auto& state : row.inputs) inputs.push_back(state ? state->ToString() : "*");
  for (const auto& state : row.outputs) outputs.push_back(state.ToString());
  return fmt::format("{} -> {}", fmt::join(inputs, " "), fmt::join(outputs, " "));
}

std::vector<Row> AllRows(const Rows& rows, const OpView& op) {
  std::set<Row> found;
  std::vector<std::pair<Operand, State>> open;
  const auto seed = [&](Operand operand, const graph::Value& value) {
    for (size_t axis = 0; axis < value.shape.size(); ++axis)
      open.push_back({operand, State::Split(static_cast<int>(axis))});
    for (const ReduceOp reduce : {ReduceOp::kSum, ReduceOp::kAvg, ReduceOp::kMax, ReduceOp::kMin})
      open.push_back({operand, State::Partial(reduce)});
  };
  for (int i = 0; i < op.inputs(); ++i) {
    if (op.has_input(i)) seed({false, i}, op.input(i));
  }
  for (int i = 0; i < op.outputs(); ++i) {
    if (op.node().outputs[static_cast<size_t>(i)] != graph::kNoValue) seed({true, i}, op.output(i));
  }
  while (!open.empty()) {
    const auto [operand, state] = open.back();
    open.pop_back();
    for (const Row& row : rows.With(operand, state)) {
      if (!found.insert(row).second) continue;
      for (size_t i = 0; i < row.inputs.size(); ++i) {
        if (row.inputs[i]) open.push_back({{false, static_cast<int>(i)}, *row.inputs[i]});
      }
      for (size_t i = 0; i < row.outputs.size(); ++i)
        open.push_back({{true, static_cast<int>(i)}, row.outputs[i]});
    }
  }
  found.erase(rows.Replicated());
  return {found.begin(), found.end()};
}

std::string DescribeLast(const graph::Graph& graph, int parts) {
  const OpView op(graph, graph.nodes().back());
  auto rule = RuleFor(op);
  if (!rule) return "no rule";
  std::string text = Describe(*rule);
  const Rows rows(op, std::move(rule), Division{parts, {}});
  std::set<std::string> lines;
  for (const Row& row : AllRows(rows, op)) lines.insert(Describe(row));
  for (const std::string& line : lines) text += "\n" + line;
  return text;
}

}  // namespace tessera::shard::testing
