// Quantized ops: int32 sums of a cut contraction are exact; a scale along an axis is cut with it.
#include <algorithm>

#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// Scale and zero point of QuantizeLinear and DequantizeLinear: one for all, one along an axis, or one a block
// of it.
std::optional<Rule> Quantize(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const int rank = static_cast<int>(op.input(0).shape.size());
  const int axis = op.Axis("axis", 1, static_cast<size_t>(rank));
  const int64_t block = op.node().Int("block_size", 0);
  std::string data;
  std::string blocks;
  for (int i = 0; i < rank; ++i) {
    const std::string letter{static_cast<char>('a' + i), ' '};
    data += block > 0 && i == axis ? "(" + letter + "Z!) " : letter;
    blocks += letter;
  }
  std::string scale = "()";
  if (block > 0)
    scale = blocks;
  else if (op.input(1).shape.size() == 1 && op.input(1).shape[0] != 1)
    scale = {static_cast<char>('a' + axis)};
  if (data.empty()) data = "()";
  std::map<char, int64_t> sizes;
  if (block > 0) sizes['Z'] = block;
  return ReadRule(op, data + ", " + scale + ", " + scale + " -> " + data, sizes);
}

// Where nothing is subtracted, parts of an int32 sum (a bias that one rank holds) stay parts of it.
std::optional<Rule> Dequantize(const OpView& op) {
  auto rule = Quantize(op);
  if (!rule || op.input(0).type != DType::kInt32) return rule;
  const auto zero = op.has_input(2) ? op.Integers(2) : std::vector<int64_t>{};
  if (zero && std::all_of(zero->begin(), zero->end(), [](int64_t z) { return z == 0; })) rule->linear = {{0}};
  return rule;
}

// A zero point or scale that is one number, or one a column (of B) / row (of A).
std::string PerDim(const OpView& op, int input, const char* letter) {
  if (!op.has_input(input) || !op.input(input).has_shape) return "()";
  const Shape& shape = op.input(input).shape;
  return shape.size() == 1 && shape[0] != 1 ? letter : "()";
}

std::optional<Rule> MatMulInteger(const OpView& op) {
  auto rule = ReadRule(op, "* m k+, * k+ n, " + PerDim(op, 2, "m") + ", " + PerDim(op, 3, "n") + " -> * m n");
  if (!rule) return rule;
  rule->contraction = true;
  rule->weights = {0, 1};
  return rule;
}

// The result is rounded to 8 bits at the end, so the contraction stays whole.
std::optional<Rule> QLinearMatMul(const OpView& op) {
  auto rule = ReadRule(op, "* m k!, " + PerDim(op, 1, "m") + ", " + PerDim(op, 2, "m") + ", * k! n, " +
                               PerDim(op, 4, "n") + ", " + PerDim(op, 5, "n") + ", (), () -> * m n");
  if (!rule) return rule;
  rule->contraction = true;
  rule->weights = {3};
  return rule;
}

}  // namespace

void AddQuantized(RuleTable& table) {
  table["QuantizeLinear"] = Quantize;
  table["DequantizeLinear"] = Dequantize;
  table["MatMulInteger"] = MatMulInteger;
  table["QLinearMatMul"] = QLinearMatMul;
}

}  // namespace tessera::shard
