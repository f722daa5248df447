#include <algorithm>

#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Quantized(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  auto labels = Like(op, {});
  if (!labels) return labels;
  const size_t axis = op.axis(1);
  if (op.node().Int("block_size", 0) > 0) {
    // A scale for each block: whole blocks go with their scales.
    if (axis >= op.rank() || op.in(1) == nullptr || op.in(1)->shape[axis] == kDynamic) return std::nullopt;
    labels->inputs.resize(op.inputs(), labels->inputs[0]);
    labels->even = std::string{labels->inputs[0][axis]};
    labels->units = op.in(1)->shape[axis];
    return labels;
  }
  for (size_t i = 1; i < op.inputs(); ++i) {
    const bool per_axis = op.rank(i) == 1 && op.in(i)->shape[0] != 1;
    labels->inputs.emplace_back(per_axis && axis < op.rank() ? std::string{labels->inputs[0][axis]} : "");
  }
  return labels;
}

// No zero point, or only zeros: int32 terms may be scaled before they are added up.
std::optional<Labels> Dequantized(const Op& op) {
  auto labels = Quantized(op);
  if (!labels || op.in(0)->type != DType::kInt32) return labels;
  if (op.in(2) == nullptr) {
    labels->linear = {{0}};
  } else if (const auto zero = op.constant(2)) {
    if (std::count(zero->begin(), zero->end(), 0) == std::ssize(*zero)) labels->linear = {{0}};
  }
  return labels;
}

std::optional<Labels> MatMulInteger(const Op& op) {
  auto labels = MatMul(op);
  if (!labels) return labels;
  labels->linear.clear();
  const auto zero = [&](size_t i, const char* letter) {
    return op.rank(i) == 1 && op.in(i)->shape[0] != 1 ? letter : "";
  };
  labels->inputs.resize(op.inputs());
  for (size_t i = 2; i < op.inputs(); ++i) labels->inputs[i] = zero(i, i == 2 ? "M" : "N");
  return labels;
}

std::optional<Labels> QLinearMatMul(const Op& op) {
  auto labels = MatMul(op, 3);
  if (!labels) return labels;
  labels->linear.clear();
  labels->summed.clear();
  const auto per = [&](size_t i, const char* letter) {
    if (op.rank(i) == 1 && op.in(i)->shape[0] != 1) labels->inputs[i] = letter;
  };
  per(1, "M"), per(2, "M"), per(4, "N"), per(5, "N");
  for (std::string& text : labels->inputs) std::replace(text.begin(), text.end(), 'K', '.');
  return labels;
}

}  // namespace

void AddQuantized(Table& table) {
  table["QuantizeLinear"] = Quantized;
  table["DequantizeLinear"] = Dequantized;
  table["MatMulInteger"] = MatMulInteger;
  table["QLinearMatMul"] = QLinearMatMul;
}

}  // namespace tessera::shard::check
