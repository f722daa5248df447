#include "tessera/engine/tensorrt/step_plan.h"

#include <algorithm>

namespace tessera::engine {
namespace {

bool IsCommon(const Step& step, size_t input) {
  const ConstRegion& first = step.ranks.front().tensors[input].data;
  return std::all_of(step.ranks.begin(), step.ranks.end(), [&](const RankInputs& rank) {
    const ConstRegion& data = rank.tensors[input].data;
    return data.contiguous() && data.data == first.data && data.bytes() == first.bytes();
  });
}

size_t GatherFrom(const ConstRegion& data, const InputRules& rules) {
  const bool with_a_rank =
      data.kind == MemoryKind::kDevice &&
      std::find(rules.devices.begin(), rules.devices.end(), data.device) != rules.devices.end();
  return with_a_rank ? rules.gather.from_gpu : rules.gather.from_host;
}

Replication ReplicationOf(const Step& step, size_t input, const InputRules& rules) {
  if (rules.inputs[input].on_host) return Replication::kOnHost;
  const ConstRegion& data = step.ranks.front().tensors[input].data;
  const bool gather =
      step.ranks.size() > 1 && data.bytes() >= GatherFrom(data, rules) && IsCommon(step, input);
  return gather ? Replication::kGather : Replication::kCopies;
}

}  // namespace

bool StepPlan::HasDynamicOutputs() const {
  for (const std::vector<Shape>& rank : outputs) {
    if (!std::all_of(rank.begin(), rank.end(), [](const Shape& output) { return IsStatic(output); }))
      return true;
  }
  return false;
}

bool StepPlan::ReadsHost() const {
  return std::find(shape.replication.begin(), shape.replication.end(), Replication::kOnHost) !=
         shape.replication.end();
}

std::string DescribeInputs(const StepShape& shape) {
  std::string text;
  for (const Shape& input : shape.inputs.front()) text += (text.empty() ? "" : " ") + ToString(input);
  return text;
}

StepShape ShapeOf(const Step& step, const InputRules& rules) {
  StepShape shape;
  for (const RankInputs& rank : step.ranks) {
    std::vector<Shape>& inputs = shape.inputs.emplace_back();
    for (const TensorView& tensor : rank.tensors) inputs.push_back(tensor.shape);
  }
  for (size_t i = 0; i < step.ranks.front().tensors.size(); ++i) {
    shape.replication.push_back(ReplicationOf(step, i, rules));
  }
  shape.values = ValuesOf(step, rules.inputs);
  return shape;
}

bool HasShape(const Step& step, const InputRules& rules, const StepShape& shape) {
  for (size_t r = 0; r < step.ranks.size(); ++r) {
    const std::vector<TensorView>& tensors = step.ranks[r].tensors;
    for (size_t i = 0; i < tensors.size(); ++i) {
      if (tensors[i].shape != shape.inputs[r][i]) return false;
    }
  }
  for (size_t i = 0; i < shape.replication.size(); ++i) {
    if (ReplicationOf(step, i, rules) != shape.replication[i]) return false;
  }
  return HasValues(step, shape.values);
}

size_t GatherChunk(size_t bytes, int world_size) {
  constexpr size_t kAlignment = 256;  // of each part's start: as a device allocation's
  const auto world = static_cast<size_t>(world_size);
  const size_t part = (bytes + world - 1) / world;
  return (part + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace tessera::engine
