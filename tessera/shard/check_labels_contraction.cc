#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

using graph::Value;

std::optional<Labels> Gemm(const Op& op) {
  Labels labels;
  labels.inputs = {op.node().Int("transA", 0) != 0 ? "KM" : "MK",
                   op.node().Int("transB", 0) != 0 ? "NK" : "KN"};
  labels.outputs = {"MN"};
  labels.summed = "K";
  labels.linear = {{0}, {1}};
  if (op.in(2) == nullptr) return labels;
  if (!op.in(2)->has_shape || op.out(0) == nullptr) return std::nullopt;
  labels.inputs.push_back(Aligned(*op.in(2), *op.out(0), "MN"));
  labels.addends = {2};
  return labels;
}

std::optional<Labels> Einsum(const Op& op) {
  std::string equation = op.node().String("equation", "");
  std::erase(equation, ' ');
  const size_t arrow = equation.find("->");
  if (arrow == std::string::npos || equation.find('.') != std::string::npos) return std::nullopt;
  Labels labels;
  labels.inputs.emplace_back();
  for (const char c : equation.substr(0, arrow)) {
    if (c == ',')
      labels.inputs.emplace_back();
    else
      labels.inputs.back() += c;
  }
  labels.outputs = {equation.substr(arrow + 2)};
  for (size_t i = 0; i < labels.inputs.size(); ++i) {
    labels.linear.push_back({static_cast<int>(i)});
    for (const char c : labels.inputs[i]) {
      if (labels.outputs[0].find(c) == std::string::npos) labels.summed += c;
    }
  }
  return labels;
}

}  // namespace

std::optional<Labels> MatMul(const Op& op, size_t b_input) {
  if (!op.shaped() || op.in(0) == nullptr || op.in(b_input) == nullptr || op.out(0) == nullptr)
    return std::nullopt;
  const Value& a = *op.in(0);
  const Value& b = *op.in(b_input);
  const bool row = a.shape.size() == 1;
  const bool column = b.shape.size() == 1;
  Labels labels;
  const size_t batch = op.out(0)->shape.size() - (row ? 0 : 1) - (column ? 0 : 1);
  const std::string letters = Fresh(batch);
  labels.outputs = {letters + (row ? "" : "M") + (column ? "" : "N")};
  const auto batched = [&](const Value& v, size_t core) {
    std::string text;
    const size_t own = v.shape.size() - core;
    for (size_t d = 0; d < own; ++d) {
      const size_t o = d + batch - own;
      text += Same(v, d, *op.out(0), o) ? letters[o] : '.';
    }
    return text;
  };
  labels.inputs.assign(op.inputs(), "");
  labels.inputs[0] = row ? "K" : batched(a, 2) + "MK";
  labels.inputs[b_input] = column ? "K" : batched(b, 2) + "KN";
  labels.summed = "K";
  labels.linear = {{0}, {static_cast<int>(b_input)}};
  return labels;
}

void AddContractions(Table& table) {
  table["MatMul"] = [](const Op& op) { return MatMul(op); };
  table["Gemm"] = Gemm;
  table["Einsum"] = Einsum;
}

}  // namespace tessera::shard::check
