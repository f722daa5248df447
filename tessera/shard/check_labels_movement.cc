#include <numeric>

#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Transpose(const Op& op) {
  auto labels = Like(op, {});
  if (!labels) return labels;
  std::vector<int64_t> order = op.node().Ints("perm");
  labels->outputs = {""};
  for (size_t d = 0; d < op.rank(); ++d)
    labels->outputs[0] +=
        labels->inputs[0][order.empty() ? op.rank() - 1 - d : static_cast<size_t>(order[d])];
  labels->linear = {{0}};
  return labels;
}

// Sizes equal before and after pass.
std::optional<Labels> WhereSizesStay(const Op& op, bool linear) {
  auto labels = Like(op, {});
  if (!labels || op.out(0) == nullptr || !op.out(0)->has_shape) return std::nullopt;
  labels->outputs[0] = Fresh(op.out(0)->shape.size());
  labels->inputs[0] = Aligned(*op.in(0), *op.out(0), labels->outputs[0]);
  if (linear) labels->linear = {{0}};
  return labels;
}

// A repeated dimension has a letter that the output lacks.
std::optional<Labels> Tile(const Op& op) {
  auto labels = WhereSizesStay(op, true);
  for (size_t d = 0; labels && d < labels->inputs[0].size(); ++d) {
    if (labels->inputs[0][d] == '.') labels->inputs[0][d] = static_cast<char>('A' + d);
  }
  return labels;
}

// A size that stays says nothing here: what one pad adds another may take away.
std::optional<Labels> Pad(const Op& op) {
  const auto pads = op.in(1) != nullptr ? op.constant(1) : op.node().Ints("pads");
  if (!pads || op.in(3) != nullptr || pads->size() != 2 * op.rank()) return std::nullopt;
  std::set<size_t> padded;
  for (size_t d = 0; d < op.rank(); ++d) {
    if ((*pads)[d] != 0 || (*pads)[d + op.rank()] != 0) padded.insert(d);
  }
  return Like(op, padded);
}

std::optional<Labels> Joined(const Op& op, bool linear) {
  auto labels = Like(op, {});
  if (!labels) return labels;
  const std::string text = Whole(labels->inputs[0], {op.axis(0)});
  const bool concat = op.node().op_type == "Concat";
  labels->inputs.assign(concat ? op.inputs() : 1, text);
  labels->outputs.assign(concat ? 1 : op.node().outputs.size(), text);
  std::vector<int> all(labels->inputs.size());
  std::iota(all.begin(), all.end(), 0);
  if (linear) labels->linear = {all};
  return labels;
}

std::optional<Labels> Slice(const Op& op) {
  std::optional<std::vector<int64_t>> axes;
  if (op.opset() < 10)
    axes = op.node().Ints("axes");
  else if (op.in(3) != nullptr)
    axes = op.constant(3);
  if ((op.opset() >= 10 && op.in(3) == nullptr) || (op.opset() < 10 && axes->empty())) {
    // The first dimensions, as many as there are bounds; how many that is hardly ever matters.
    axes.emplace(op.rank());
    std::iota(axes->begin(), axes->end(), 0);
  }
  if (!axes) return std::nullopt;
  std::set<size_t> whole;
  for (const int64_t a : *axes)
    whole.insert(static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(op.rank()) : a));
  auto labels = Like(op, whole);
  if (labels) labels->linear = {{0}};
  return labels;
}

}  // namespace

void AddMovements(Table& table) {
  table["Transpose"] = Transpose;
  table["Expand"] = [](const Op& op) { return WhereSizesStay(op, true); };
  table["Tile"] = Tile;
  table["Resize"] = [](const Op& op) { return WhereSizesStay(op, false); };
  table["Pad"] = Pad;
  table["Concat"] = table["Split"] = [](const Op& op) { return Joined(op, true); };
  table["Slice"] = Slice;
}

}  // namespace tessera::shard::check
