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

// Softmax and its kin: one axis from opset 13 on, all from `axis` on before.
std::optional<Rule> AlongAxis(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const bool one = op.opset() >= 13;
  const int axis = op.Axis("axis", one ? -1 : 1, rank);
  return PassThrough(op, one ? std::vector<int>{axis} : From(axis, rank));
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
