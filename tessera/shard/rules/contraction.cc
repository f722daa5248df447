// Matrix products: the contracted dimension is summed over, so cutting it leaves partial sums.
#include <cctype>

#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

std::optional<Rule> Product(std::optional<Rule> rule) {
  if (!rule) return rule;
  rule->contraction = true;
  rule->weights = {0, 1};
  rule->linear = {{0}, {1}};
  return rule;
}

std::optional<Rule> MatMul(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const bool vector_a = op.input(0).shape.size() == 1;
  const bool vector_b = op.input(1).shape.size() == 1;
  if (vector_a && vector_b) return Product(ReadRule(op, "k+, k+ ->"));
  if (vector_a) return Product(ReadRule(op, "k+, * k+ n -> * n"));
  if (vector_b) return Product(ReadRule(op, "* m k+, k+ -> * m"));
  return Product(ReadRule(op, "* m k+, * k+ n -> * m n"));
}

// The bias of a Gemm as a word for each of its dimensions.
std::string GemmBias(const OpView& op) {
  if (!op.has_input(2) || !op.input(2).has_shape) return "";
  const Shape& shape = op.input(2).shape;
  std::string text;
  for (size_t i = 0; i < shape.size(); ++i) {
    const bool last = i + 1 == shape.size();
    text += shape[i] == 1 ? ". " : (last ? "n " : "m ");
  }
  return text;
}

std::optional<Rule> Gemm(const OpView& op) {
  const std::string a = op.node().Int("transA", 0) != 0 ? "k+ m" : "m k+";
  const std::string b = op.node().Int("transB", 0) != 0 ? "n k+" : "k+ n";
  auto rule = Product(ReadRule(op, a + ", " + b + ", " + GemmBias(op) + " -> m n"));
  if (rule && op.has_input(2)) rule->addends = {2};
  return rule;
}

// "bij,bjk->bik" as a rule; letters that the output lacks are summed. No ellipsis, no repeated letter in one
// operand.
std::optional<Rule> Einsum(const OpView& op) {
  const std::string equation = op.node().String("equation", "");
  const size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find('.') != std::string::npos) return std::nullopt;
  const std::string output = equation.substr(arrow + 2);
  std::string text;
  std::string operand;
  for (const char c : equation.substr(0, arrow)) {
    if (c == ',') {
      text += ", ";
      operand.clear();
    } else if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
      if (operand.find(c) != std::string::npos) return std::nullopt;
      operand += c;
      text += {c};
      if (output.find(c) == std::string::npos) text += "+";
      text += " ";
    }
  }
  text += "-> ";
  for (const char c : output) {
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) text += {c, ' '};
  }
  auto rule = ReadRule(op, text);
  if (!rule) return rule;
  rule->contraction = op.inputs() > 1;
  for (int i = 0; i < op.inputs(); ++i) {
    rule->weights.push_back(i);
    rule->linear.push_back({i});
  }
  return rule;
}

}  // namespace

void AddContractions(RuleTable& table) {
  table["MatMul"] = MatMul;
  table["Gemm"] = Gemm;
  table["Einsum"] = Einsum;
}

}  // namespace tessera::shard
