// Gathers, and the ops that read a shape.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// Whether a part of the axis can be looked up in: its size is known, zeros can be summed with what is found,
// and the ops that this takes are there (Mod since opset 10).
bool LooksUpInParts(const OpView& op, int axis) {
  const graph::Value& data = op.input(0);
  const DType indices = op.input(1).type;
  return data.shape[static_cast<size_t>(axis)] > 1 && (IsFloat(data.type) || IsInteger(data.type)) &&
         BitsOf(data.type) >= 8 && (indices == DType::kInt64 || indices == DType::kInt32) && op.opset() >= 10;
}

// data[.., axis, ..] by indices: the axis is looked up in, so cutting it leaves each rank with what lies in
// its part, zeros elsewhere; all other dimensions pass.
std::optional<Rule> Gather(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", 0, rank);
  const bool in_parts = LooksUpInParts(op, axis);
  std::string data;
  std::string indices;
  std::string before;
  std::string after;
  for (size_t i = 0; i < op.input(1).shape.size(); ++i) indices += {static_cast<char>('i' + i), ' '};
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const std::string word{static_cast<char>('A' + i), ' '};
    const std::string looked_up = in_parts ? std::string{static_cast<char>('A' + i), '+', ' '} : ". ";
    data += i == axis ? looked_up : word;
    if (i != axis) (i < axis ? before : after) += word;
  }
  const std::string out = before + indices + after;
  auto rule =
      ReadRule(op, data + ", " + (indices.empty() ? "()" : indices) + " -> " + (out.empty() ? "()" : out));
  if (!rule) return rule;
  rule->linear = {{0}};
  if (in_parts) rule->looked_up = rule->inputs[0][static_cast<size_t>(axis)].front();
  if (rank > 2) rule->weights = {0};  // experts' matrices, picked by a router
  return rule;
}

// Batch dimensions pass, and what is behind the looked-up dimensions; the index tuples' own dimensions pass
// too.
std::optional<Rule> GatherND(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape || op.input(1).shape.empty()) return std::nullopt;
  const auto batch = static_cast<size_t>(op.node().Int("batch_dims", 0));
  const size_t rank = op.input(0).shape.size();
  const size_t index_rank = op.input(1).shape.size();
  const int64_t depth = op.input(1).shape.back();
  if (depth == kDynamic || batch + static_cast<size_t>(depth) > rank) return std::nullopt;
  std::string data;
  std::string indices;
  std::string after;
  for (size_t i = 0; i < rank; ++i) {
    const std::string word{static_cast<char>('A' + i), ' '};
    if (i < batch)
      data += word;
    else if (i < batch + static_cast<size_t>(depth))
      data += ". ";
    else
      after += word;
  }
  for (size_t i = 0; i + 1 < index_rank; ++i) {
    indices += i < batch ? std::string{static_cast<char>('A' + i), ' '}
                         : std::string{static_cast<char>('i' + i), ' '};
  }
  const std::string out = indices + after;
  auto rule = ReadRule(op, data + after + ", " + indices + ". -> " + (out.empty() ? "()" : out));
  if (rule && rank > 2) rule->weights = {0};  // experts' matrices, picked by a router
  return rule;
}

// One axis is looked up in; another one passes where data and indices have one size.
std::optional<Rule> GatherElements(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const size_t rank = op.input(0).shape.size();
  const int axis = op.Axis("axis", 0, rank);
  std::string data;
  std::string indices;
  for (int i = 0; i < static_cast<int>(rank); ++i) {
    const std::string word{static_cast<char>('A' + i), ' '};
    const bool same = SameSize(op.input(0), static_cast<size_t>(i), op.input(1), static_cast<size_t>(i));
    data += i != axis && same ? word : ". ";
    indices += i == axis ? ". " : (same ? word : std::string{static_cast<char>('i' + i), ' '});
  }
  return ReadRule(op, data + ", " + indices + " -> " + indices);
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
  table["GatherND"] = GatherND;
  table["GatherElements"] = GatherElements;
  table["Shape"] = table["Size"] = ShapeOf;
}

}  // namespace tessera::shard
