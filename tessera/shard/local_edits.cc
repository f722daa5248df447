#include "tessera/shard/local_edits.h"

#include <algorithm>

namespace tessera::shard {
namespace {

using graph::Constant;
using graph::Node;
using graph::ValueId;

// Writes the local sizes of a node's shape operand (the target of Reshape or Expand).
class ShapeOperand {
 public:
  ShapeOperand(Emitter& emitter, const graph::Graph& model, const Elements& known, const Node& original,
               const Row& row, int input)
      : emitter_(emitter),
        model_(model),
        known_(known),
        original_(original),
        row_(row),
        input_(static_cast<size_t>(input)) {}

  Result<ValueId> Rewrite(ValueId operand) {
    const graph::Value& output = model_.value(original_.outputs[0]);
    const graph::Value& target = model_.value(original_.inputs[input_]);
    if (!target.has_shape || target.shape.size() != 1 || target.shape[0] == kDynamic) {
      return Fail(Code::kInternal, "node '{}': the length of its shape operand '{}' is not known",
                  original_.name, target.name);
    }
    const auto length = static_cast<size_t>(target.shape[0]);
    Elements elements = known_.size() == length ? known_ : Elements(length);
    const Elements before = elements;
    // Expand's target may be shorter than the output: its elements are the last dimensions.
    const size_t skipped = output.shape.size() - length;
    std::vector<int64_t> divisors(length, 1);
    for (size_t i = 0; i < length; ++i) Localize(output, i + skipped, elements[i].number, divisors[i]);
    const bool all_known =
        std::all_of(elements.begin(), elements.end(), [](const auto& e) { return e.number.has_value(); });
    if (elements == before && std::all_of(divisors.begin(), divisors.end(), [](int64_t d) { return d == 1; }))
      return operand;
    if (all_known) return Literal(elements, target);
    return Computed(operand, before, elements, divisors);
  }

 private:
  // What the element of dimension `dim` becomes: a known one changes here, another one gets a divisor.
  void Localize(const graph::Value& output, size_t dim, std::optional<int64_t>& element,
                int64_t& divisor) const {
    const int parts = Pieces(row_.outputs[0], emitter_.model().parts);
    const bool cut = row_.outputs[0].split() && static_cast<size_t>(row_.outputs[0].axis) == dim;
    if (element == 0 && original_.op_type == "Reshape" && original_.Int("allowzero", 0) == 0) {
      // Zero copies the input's size, which is local: right only where both sides are cut alike.
      const bool input_cut =
          row_.inputs[0] && row_.inputs[0]->split() && static_cast<size_t>(row_.inputs[0]->axis) == dim;
      if (cut != input_cut && output.shape[dim] != kDynamic) element = output.shape[dim] / (cut ? parts : 1);
      return;
    }
    if (!cut) return;
    if (!element)
      divisor = parts;
    else if (*element > 1)
      element = *element / parts;
  }

  ValueId Literal(const Elements& elements, const graph::Value& target) {
    std::vector<int64_t> values;
    for (const Element& e : elements) values.push_back(*e.number);
    return emitter_.Integers(target.name + ".local", values);
  }

  // At run time: known elements that changed are put in by Where; the cut one is divided, unless it is -1, 0
  // or 1.
  ValueId Computed(ValueId operand, const Elements& before, const Elements& elements,
                   const std::vector<int64_t>& divisors) {
    const std::string name = original_.name.empty() ? original_.op_type : original_.name;
    const Shape shape{static_cast<int64_t>(elements.size())};
    ValueId at = operand;
    if (std::any_of(divisors.begin(), divisors.end(), [](int64_t d) { return d != 1; })) {
      const ValueId divided = emitter_.Op("Div", name + "/target.divided",
                                          {at, emitter_.Integers(name + "/divisors", divisors)}, shape);
      const ValueId large = Compare(name, at, shape);
      at = emitter_.Op("Where", name + "/target.local", {large, divided, at}, shape);
      emitter_.model().graph.value(at).type = DType::kInt64;
    }
    if (elements == before) return at;
    std::vector<std::byte> which;
    std::vector<int64_t> values;
    for (size_t i = 0; i < elements.size(); ++i) {
      which.push_back(static_cast<std::byte>(elements[i] != before[i] ? 1 : 0));
      values.push_back(elements[i].number.value_or(1));
    }
    const ValueId mask =
        emitter_.Constant(name + "/target.known", Constant::OfBytes(DType::kBool, shape, std::move(which)));
    const ValueId put = emitter_.Op("Where", name + "/target.put",
                                    {mask, emitter_.Integers(name + "/target.values", values), at}, shape);
    emitter_.model().graph.value(put).type = DType::kInt64;
    return put;
  }

  ValueId Compare(const std::string& name, ValueId operand, const Shape& shape) {
    const ValueId large = emitter_.Op("Greater", name + "/target.large",
                                      {operand, emitter_.Integers(name + "/one", {1})}, shape);
    emitter_.model().graph.value(large).type = DType::kBool;
    return large;
  }

  Emitter& emitter_;
  const graph::Graph& model_;
  const Elements& known_;
  const Node& original_;
  const Row& row_;
  size_t input_;
};

bool Applies(const Edit& edit, const Row& row) {
  return edit.factor == kJoinFactor ? row.join : row.factor == edit.factor;
}

// By the pieces of what is cut; with groups, of the operand that the attribute counts the heads of.
int64_t Divisor(const Edit& edit, const Row& row, int parts) {
  const auto& state = row.inputs[static_cast<size_t>(edit.input)];
  return state && (state->split() || edit.factor == kGroups) ? Pieces(*state, parts) : parts;
}

Result<void> DivideAttribute(const Edit& edit, int64_t parts, Node& node) {
  const graph::Attribute* attribute = node.Find(edit.attribute);
  if (attribute == nullptr) return {};
  if (attribute->kind == graph::Attribute::Kind::kInt) {
    if (attribute->i % parts != 0) {
      return Fail(Code::kInternal, "node '{}': {}={} does not divide over {} ranks", node.name,
                  edit.attribute, attribute->i, parts);
    }
    node.Set(edit.attribute, attribute->i / parts);
    return {};
  }
  std::vector<int64_t> values = attribute->ints;
  for (int64_t& v : values) v /= parts;
  node.Set(edit.attribute, values);
  return {};
}

void DivideOperand(Emitter& emitter, const graph::Graph& model, const Edit& edit, int64_t parts,
                   const Node& original, Node& node) {
  const auto i = static_cast<size_t>(edit.input);
  const graph::Value& operand = model.value(original.inputs[i]);
  if (operand.constant) {
    if (auto values = graph::AsInt64(*operand.constant)) {
      for (int64_t& v : *values) v /= parts;
      node.inputs[i] = emitter.Integers(operand.name + ".local", *values);
      return;
    }
  }
  node.inputs[i] =
      emitter.Op("Div", operand.name + ".local",
                 {node.inputs[i], emitter.Integers(operand.name + ".parts", {parts})}, operand.shape);
}

}  // namespace

Result<void> ApplyEdits(Emitter& emitter, const graph::Graph& model, const std::vector<Elements>& known,
                        const Node& original, const Rule& rule, const Row& row, Node& node) {
  const int64_t parts = emitter.model().parts;
  for (const Edit& edit : rule.edits) {
    if (edit.kind == Edit::Kind::kShapeOperand) {
      const auto i = static_cast<size_t>(edit.input);
      if (i >= original.inputs.size() || original.inputs[i] == graph::kNoValue) continue;
      const Elements& elements = known[static_cast<size_t>(original.inputs[i].value())];
      ShapeOperand operand(emitter, model, elements, original, row, edit.input);
      TRY_ASSIGN(node.inputs[i], operand.Rewrite(node.inputs[i]));
    } else if (!Applies(edit, row)) {
      continue;
    } else if (edit.kind == Edit::Kind::kDivideAttribute) {
      TRY(DivideAttribute(edit, Divisor(edit, row, emitter.model().parts), node));
    } else {
      DivideOperand(emitter, model, edit, parts, original, node);
    }
  }
  return {};
}

}  // namespace tessera::shard
