// Normalizations: what is normalised over stays whole, the rest passes.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

std::vector<int> From(int axis, size_t rank) {
  std::vector<int> axes;
  for (int i = axis; i < static_cast<int>(rank); ++i) axes.push_back(i);
  return axes;
}

// Softmax and its kin: one axis from opset 13 on, all from `axis` on before. One axis of known size may be
// cut: the ranks agree on its largest element and on the sum.
std::optional<Rule> AlongAxis(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const bool one = op.opset() >= 13;
  const int axis = op.Axis("axis", one ? -1 : 1, rank);
  const bool across = one && op.node().op_type != "Hardmax" && op.input(0).type != DType::kFloat64 &&
                      op.input(0).shape[static_cast<size_t>(axis)] != kDynamic;
  if (!across) return PassThrough(op, one ? std::vector<int>{axis} : From(axis, rank));
  auto rule = PassThrough(op);
  if (rule) {
    const int factor = rule->inputs[0][static_cast<size_t>(axis)].front();
    rule->across = Across{factor, 1, CollectiveOp::kAllReduce, 1, 4, 2};
  }
  return rule;
}

// LayerNormalization, RMSNormalization: everything from `axis` on is whole; mean and deviation lose those
// dimensions.
std::optional<Rule> FromAxis(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", -1, rank);
  auto rule = PassThrough(op, From(axis, rank));
  if (!rule) return rule;
  for (size_t i = 1; i < rule->outputs.size(); ++i) {
    for (int d = 0; d < axis && static_cast<size_t>(d) < rule->outputs[i].size(); ++d) {
      rule->outputs[i][static_cast<size_t>(d)] = rule->outputs[0][static_cast<size_t>(d)];
    }
  }
  return rule;
}

}  // namespace

void AddNormalization(RuleTable& table) {
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax"}) table[name] = AlongAxis;
  for (const char* name : {"LayerNormalization", "RMSNormalization"}) table[name] = FromAxis;
}

}  // namespace tessera::shard
