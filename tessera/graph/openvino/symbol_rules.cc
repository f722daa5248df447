#include "tessera/graph/openvino/symbol_rules.h"

#include <openvino/op/broadcast.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/select.hpp>
#include <openvino/op/slice.hpp>
#include <cstdint>
#include <optional>

namespace tessera::graph {
namespace {

constexpr size_t kMostElements = 64;  // of a tensor that is a shape

std::optional<std::vector<int64_t>> ConstantNumbers(const ov::Output<ov::Node>& output) {
  const auto constant = ov::as_type_ptr<ov::op::v0::Constant>(output.get_node_shared_ptr());
  if (constant == nullptr) return std::nullopt;
  return constant->cast_vector<int64_t>();
}

bool IsShapeLike(const ov::Output<ov::Node>& output) {
  const ov::PartialShape& shape = output.get_partial_shape();
  return shape.is_static() && shape.size() <= 1 && ov::shape_size(shape.to_shape()) <= kMostElements &&
         output.get_element_type().is_integral_number();
}

// Bounds of values are evaluated when an operation wants its input as a shape: this is such an operation.
void EvaluateBounds(const ov::Output<ov::Node>& shape) {
  if (shape.get_partial_shape().size() != 1) return;
  const auto number = ov::op::v0::Constant::create(ov::element::f32, {}, {0.0F});
  const ov::op::v3::Broadcast consumer(number, shape);
}

// The condition's elements, if they are known.
std::optional<std::vector<bool>> KnownCondition(const ov::Output<ov::Node>& output) {
  const ov::Tensor& lower = output.get_tensor().get_lower_value();
  const ov::Tensor& upper = output.get_tensor().get_upper_value();
  if (!lower || !upper || lower.get_element_type() != ov::element::boolean) return std::nullopt;
  std::vector<bool> known;
  for (size_t i = 0; i < lower.get_size(); ++i) {
    const bool at_least = lower.data<char>()[i] != 0;
    if (at_least != (upper.data<char>()[i] != 0)) return std::nullopt;
    known.push_back(at_least);
  }
  return known;
}

void ImproveSelect(ov::op::v1::Select& select) {
  if (!IsShapeLike(select.output(0))) return;
  EvaluateBounds(select.output(0));
  auto& result = select.output(0).get_tensor();
  if (!result.get_value_symbol().empty()) return;
  const auto condition = KnownCondition(select.input_value(0));
  const ov::TensorSymbol chosen = select.input_value(1).get_tensor().get_value_symbol();
  const ov::TensorSymbol otherwise = select.input_value(2).get_tensor().get_value_symbol();
  const size_t count = ov::shape_size(result.get_shape());
  if (!condition || condition->size() != count) return;
  ov::TensorSymbol symbols(count);
  for (size_t i = 0; i < count; ++i) {
    const ov::TensorSymbol& from = (*condition)[i] ? chosen : otherwise;
    if (from.size() == count) symbols[i] = from[i];
  }
  result.set_value_symbol(symbols);
}

void ImproveSlice(ov::op::v8::Slice& slice) {
  const auto starts = ConstantNumbers(slice.input_value(1));
  const ov::TensorSymbol stops = slice.input_value(2).get_tensor().get_value_symbol();
  const auto steps = ConstantNumbers(slice.input_value(3));
  const auto axes = slice.get_input_size() > 4 ? ConstantNumbers(slice.input_value(4))
                                               : std::optional<std::vector<int64_t>>();
  if (!starts || !steps || !axes || stops.size() != axes->size()) return;
  const ov::PartialShape& from = slice.get_input_partial_shape(0);
  ov::PartialShape to = slice.get_output_partial_shape(0);
  if (from.rank().is_dynamic()) return;
  for (size_t i = 0; i < axes->size(); ++i) {
    const int64_t axis = (*axes)[i] < 0 ? (*axes)[i] + static_cast<int64_t>(from.size()) : (*axes)[i];
    const auto at = static_cast<size_t>(axis);
    if (at >= from.size() || from[at].is_dynamic() || to[at].is_static() || to[at].has_symbol()) continue;
    if ((*starts)[i] == 0 && (*steps)[i] == 1 && stops[i] != nullptr) to[at].set_symbol(stops[i]);
  }
  slice.set_output_type(0, slice.get_output_element_type(0), to);
}

}  // namespace

void ImproveSymbols(ov::Node& op) {
  if (auto* select = ov::as_type<ov::op::v1::Select>(&op)) ImproveSelect(*select);
  if (auto* slice = ov::as_type<ov::op::v8::Slice>(&op)) ImproveSlice(*slice);
}

}  // namespace tessera::graph
