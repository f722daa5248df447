#include "tessera/exec/layout.h"

#include <algorithm>
#include <string_view>

#include "tessera/exec/input_check.h"

namespace tessera::exec {
namespace {

using plan::TensorPlan;
using Kind = plan::Layout::Kind;

// What a rank's engine must declare for `tensor`; an engine may know a size that the plan leaves free, and
// reverse.
bool Agrees(const TensorSpec& engine, const TensorPlan& tensor, int world_size) {
  const Shape& global = tensor.spec.shape;
  if (engine.type != tensor.spec.type || engine.shape.size() != global.size()) return false;
  for (size_t i = 0; i < global.size(); ++i) {
    if (engine.shape[i] == kDynamic || global[i] == kDynamic) continue;
    const bool split = tensor.layout.kind == Kind::kSplit && static_cast<size_t>(tensor.layout.axis) == i;
    if (engine.shape[i] * (split ? world_size : 1) != global[i]) return false;
  }
  return true;
}

Result<size_t> FindInEngine(const TensorPlan& tensor, const std::vector<TensorSpec>& engine,
                            std::string_view what, int world_size) {
  auto found =
      std::find_if(engine.begin(), engine.end(), [&](const auto& e) { return e.name == tensor.spec.name; });
  if (found == engine.end()) {
    return Fail(Code::kInvalidArgument, "the engine has no {} '{}', which the plan wants", what,
                tensor.spec.name);
  }
  if (!Agrees(*found, tensor, world_size)) {
    return Fail(Code::kInvalidArgument,
                "{} '{}' is {} {} in a rank's engine, the plan wants {} {} over {} ranks", what,
                tensor.spec.name, DTypeName(found->type), ToString(found->shape), DTypeName(tensor.spec.type),
                ToString(tensor.spec.shape), world_size);
  }
  return static_cast<size_t>(found - engine.begin());
}

// Where each of the plan's tensors is in the engine's list.
Result<std::vector<size_t>> Match(const std::vector<TensorPlan>& planned,
                                  const std::vector<TensorSpec>& engine, std::string_view what,
                                  int world_size) {
  std::vector<size_t> indices;
  for (const TensorPlan& tensor : planned) {
    TRY_ASSIGN(const size_t index, FindInEngine(tensor, engine, what, world_size));
    indices.push_back(index);
  }
  if (planned.size() == engine.size()) return indices;
  return Fail(Code::kInvalidArgument, "the engine has {} {}s, the plan wants {}", engine.size(), what,
              planned.size());
}

TensorView PartOf(const TensorView& input, const plan::Layout& layout, Rank rank, int ranks) {
  if (layout.kind != Kind::kSplit) return input;
  const auto element_bytes = static_cast<size_t>(BitsOf(input.type)) / 8;
  TensorView part{input.type, input.shape,
                  Part(input.data, input.shape, element_bytes, layout.axis, rank, ranks)};
  part.shape[static_cast<size_t>(layout.axis)] /= ranks;
  return part;
}

}  // namespace

template <class Byte>
BasicRegion<Byte> Part(const BasicRegion<Byte>& whole, const Shape& shape, size_t element_bytes, int axis,
                       Rank rank, int ranks) {
  const auto at = shape.begin() + axis;
  const auto rows = static_cast<size_t>(ElementCount(Shape(shape.begin(), at)));
  const size_t pitch = static_cast<size_t>(ElementCount(Shape(at, shape.end()))) * element_bytes;
  BasicRegion<Byte> part = whole;
  part.rows = rows;
  part.pitch = pitch;
  part.row_bytes = pitch / static_cast<size_t>(ranks);
  if (part.data != nullptr) part.data += part.row_bytes * static_cast<size_t>(rank.value());
  return part;
}

template Region Part(const Region&, const Shape&, size_t, int, Rank, int);
template ConstRegion Part(const ConstRegion&, const Shape&, size_t, int, Rank, int);

Result<Layout> Layout::Create(const plan::Plan& plan, const std::vector<TensorSpec>& engine_inputs,
                              const std::vector<TensorSpec>& engine_outputs) {
  Layout layout(plan);
  TRY_ASSIGN(layout.engine_index_, Match(plan.inputs, engine_inputs, "input", plan.world_size()));
  TRY_ASSIGN(const std::vector<size_t> outputs,
             Match(plan.outputs, engine_outputs, "output", plan.world_size()));
  layout.outputs_.resize(outputs.size());
  for (size_t i = 0; i < outputs.size(); ++i) {
    layout.outputs_[outputs[i]] = Output{static_cast<int>(i), &plan.outputs[i]};
  }
  return layout;
}

Result<std::vector<engine::RankInputs>> Layout::Split(std::span<const TensorView> inputs) const {
  TRY(CheckInputs(inputs, *inputs_, world_size_));
  std::vector<engine::RankInputs> ranks(static_cast<size_t>(world_size_));
  for (int r = 0; r < world_size_; ++r) {
    std::vector<TensorView>& tensors = ranks[static_cast<size_t>(r)].tensors;
    tensors.resize(inputs.size());
    for (size_t i = 0; i < inputs.size(); ++i) {
      tensors[engine_index_[i]] = PartOf(inputs[i], (*inputs_)[i].layout, Rank{r}, world_size_);
    }
  }
  return ranks;
}

std::optional<int64_t> Layout::MaxRows(const std::vector<Shape>& largest) const {
  std::optional<int64_t> rows;
  if (largest.empty()) return rows;
  for (size_t i = 0; i < inputs_->size(); ++i) {
    const TensorPlan& input = (*inputs_)[i];
    const Shape& local = largest[engine_index_[i]];
    if (local.empty() || input.spec.shape.front() != kDynamic) continue;
    const bool split = input.layout.kind == Kind::kSplit && input.layout.axis == 0;
    const int64_t own = local.front() * (split ? world_size_ : 1);
    rows = std::min(rows.value_or(own), own);
  }
  return rows;
}

Shape Layout::GlobalShape(const plan::TensorPlan& output, const Shape& local) const {
  Shape shape = local;
  if (output.layout.kind == Kind::kSplit) shape[static_cast<size_t>(output.layout.axis)] *= world_size_;
  return shape;
}

}  // namespace tessera::exec
