#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Normalized(const Op& op) {
  const bool from = op.node().op_type.find("Normalization") != std::string::npos || op.opset() < 13;
  const size_t axis =
      op.axis(from && op.opset() < 13 && op.node().op_type.find("Norm") == std::string::npos ? 1 : -1);
  auto labels = Like(op, from ? Range(axis, op.rank()) : std::set<size_t>{axis});
  for (size_t i = 1; labels && i < op.node().outputs.size(); ++i)
    labels->outputs.push_back(labels->outputs[0]);
  return labels;
}

Maker Reduced(std::string Labels::*kind, bool linear) {
  return [=](const Op& op) -> std::optional<Labels> {
    std::optional<std::vector<int64_t>> axes = op.node().Ints("axes");
    if (op.in(1) != nullptr) axes = op.constant(1);
    auto labels = Like(op, {});
    if (!labels || !axes) return std::nullopt;
    if (axes->empty() && op.node().Int("noop_with_empty_axes", 0) != 0) return labels;
    std::set<size_t> gone = axes->empty() ? Range(0, op.rank()) : std::set<size_t>{};
    for (const int64_t a : *axes)
      gone.insert(static_cast<size_t>(a < 0 ? a + static_cast<int64_t>(op.rank()) : a));
    labels->outputs[0].clear();
    for (size_t d = 0; d < op.rank(); ++d) {
      if (!gone.contains(d))
        labels->outputs[0] += labels->inputs[0][d];
      else if (op.node().Int("keepdims", 1) != 0)
        labels->outputs[0] += '.';
      if (gone.contains(d) && kind != nullptr) (*labels).*kind += labels->inputs[0][d];
    }
    if (kind == nullptr) labels->inputs[0] = Whole(labels->inputs[0], gone);
    if (linear) labels->linear = {{0}};
    return labels;
  };
}

std::optional<Labels> AlongOneAxis(const Op& op) {
  int64_t otherwise = op.node().op_type == "TopK" ? -1 : 0;
  size_t axis = op.axis(otherwise);
  if (op.node().op_type == "CumSum") {
    const auto told = op.constant(1);
    if (!told || told->size() != 1) return std::nullopt;
    axis = static_cast<size_t>((*told)[0] < 0 ? (*told)[0] + static_cast<int64_t>(op.rank()) : (*told)[0]);
  }
  auto labels = Like(op, {axis});
  if (!labels) return labels;
  if (op.node().op_type.starts_with("Arg") && op.node().Int("keepdims", 1) == 0)
    labels->outputs[0].erase(axis, 1);
  labels->outputs.resize(op.node().outputs.size(), labels->outputs[0]);
  return labels;
}

}  // namespace

void AddAlongAxes(Table& table) {
  for (const char* name : {"Softmax", "LogSoftmax", "Hardmax", "LayerNormalization", "RMSNormalization"})
    table[name] = Normalized;
  table["ReduceSum"] = Reduced(&Labels::summed, true);
  table["ReduceMean"] = [](const Op& op) {
    const bool exact =
        op.in(0) != nullptr && IsFloat(op.in(0)->type);  // integers are rounded before they are averaged
    return exact ? Reduced(&Labels::averaged, true)(op) : Reduced(nullptr, false)(op);
  };
  table["ReduceMax"] = Reduced(&Labels::maximal, false);
  table["ReduceMin"] = Reduced(&Labels::minimal, false);
  for (const char* name :
       {"ReduceL1", "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "ReduceProd", "ReduceSumSquare"})
    table[name] = Reduced(nullptr, false);
  for (const char* name : {"ArgMax", "ArgMin", "CumSum", "TopK"}) table[name] = AlongOneAxis;
}

}  // namespace tessera::shard::check
