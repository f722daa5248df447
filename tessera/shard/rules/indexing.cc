// Gathers, and the ops that read a shape.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// data[.., axis, ..] by indices: the axis is looked up in, so it stays whole; all other dimensions pass.
std::optional<Rule> Gather(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", 0, rank);
  std::string data;
  std::string indices;
  std::string before;
  std::string after;
  for (size_t i = 0; i < op.input(1).shape.size(); ++i) indices += {static_cast<char>('i' + i), ' '};
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const std::string word{static_cast<char>('A' + i), ' '};
    data += i == axis ? ". " : word;
    if (i != axis) (i < axis ? before : after) += word;
  }
  const std::string out = before + indices + after;
  auto rule =
      ReadRule(op, data + ", " + (indices.empty() ? "()" : indices) + " -> " + (out.empty() ? "()" : out));
  if (rule) rule->linear = {{0}};
  return rule;
}

// Shape and Size give global sizes whatever a rank holds: the rewriter scales them.
std::optional<Rule> ShapeOf(const OpView& op) {
  auto rule = ReadRule(op, "() -> ()");
  if (rule) rule->shape_only = {0};
  return rule;
}

}  // namespace

void AddIndexing(RuleTable& table) {
  table["Gather"] = Gather;
  table["Shape"] = table["Size"] = ShapeOf;
}

}  // namespace tessera::shard
