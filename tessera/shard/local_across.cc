#include "tessera/shard/local_across.h"

#include <algorithm>
#include <utility>

namespace tessera::shard {
namespace {

using graph::Attribute;
using graph::Constant;
using graph::Node;
using graph::Value;
using graph::ValueId;

class AcrossWriter {
 public:
  AcrossWriter(Emitter& emitter, const graph::Graph& model, const Node& original, Node node, double bytes)
      : emitter_(emitter),
        ranks_(emitter.model()),
        whole_(model.value(original.inputs[0])),
        node_(std::move(node)),
        name_(original.name.empty() ? original.op_type : original.name),
        part_(ranks_.graph.value(node_.inputs[0]).shape) {
    const int64_t axis = node_.Int("axis", node_.op_type.starts_with("Arg") ? 0 : -1);
    axis_ = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(part_.size()) : axis);
    lines_bytes_ = bytes / static_cast<double>(whole_.shape[axis_]);
  }

  void Best() {
    const bool top = node_.op_type == "TopK";
    const int64_t count = top ? graph::AsInt64(*ranks_.graph.value(node_.inputs[1]).constant).value()[0] : 1;
    const auto [values, places] =
        top ? TopK("/local", node_.inputs[0], Along(part_, count), axis_) : Extreme();
    const Shape all = Front(Along(part_, count * ranks_.parts));
    const auto sent = static_cast<double>(count) * lines_bytes_;
    const ValueId of_all = Gathered(values, all, sent, "/values");
    const ValueId where =
        Gathered(Global(places, count), all, sent * 64 / std::max(1, BitsOf(whole_.type)), "/places");
    const Shape found = Front(Along(part_, count));
    const auto [best, which] = top ? TopK("/best", of_all, found, 0)
                                   : std::pair{graph::kNoValue, Argument("/best", of_all, found, 0)};
    const ValueId place =
        emitter_.Op("GatherElements", name_ + "/found", {where, which}, found, {AttributeOf("axis", 0)});
    if (top) Back(best, node_.outputs[0]);
    if (top || node_.Int("keepdims", 1) != 0)
      Back(place, node_.outputs[top ? 1 : 0]);
    else
      WithoutFront(place, node_.outputs[0]);
  }

  void Softmax() {
    const ValueId x = node_.inputs[0];
    const ValueId largest = Reduced("ReduceMax", x, ReduceOp::kMax, "/largest", ranks_.graph.opset() >= 18);
    const ValueId y = emitter_.Op("Sub", name_ + "/shifted", {x, largest}, part_);
    const ValueId exp = emitter_.Op("Exp", name_ + "/exp", {y}, part_);
    const ValueId sum = Reduced("ReduceSum", exp, ReduceOp::kSum, "/sum", true);
    if (node_.op_type == "Softmax") {
      Finish("Div", {exp, sum}, node_.outputs[0], {});
      return;
    }
    const ValueId log = emitter_.Op("Log", name_ + "/log", {sum}, Along(part_, 1));
    Finish("Sub", {y, log}, node_.outputs[0], {});
  }

 private:
  static Attribute AttributeOf(const char* name, int64_t value) {
    Attribute a;
    a.name = name;
    a.kind = Attribute::Kind::kInt;
    a.i = value;
    return a;
  }
  Shape Along(Shape shape, int64_t size) const {
    shape[axis_] = size;
    return shape;
  }
  Shape Front(Shape shape) const {
    std::rotate(shape.begin(), shape.begin() + static_cast<std::ptrdiff_t>(axis_),
                shape.begin() + static_cast<std::ptrdiff_t>(axis_) + 1);
    return shape;
  }

  std::pair<ValueId, ValueId> TopK(const char* what, ValueId x, const Shape& shape, size_t axis) {
    const DType type = ranks_.graph.value(x).type;
    Node node;
    node.name = name_ + what;
    node.op_type = "TopK";
    node.inputs = {x, node_.inputs[1]};
    node.outputs = {ranks_.graph.AddValue(name_ + what, type, shape),
                    ranks_.graph.AddValue(name_ + what + ".places", DType::kInt64, shape)};
    for (const ValueId id : node.outputs) ranks_.graph.value(id).has_shape = true;
    node.attributes = {AttributeOf("axis", static_cast<int64_t>(axis)),
                       AttributeOf("largest", node_.Int("largest", 1)), AttributeOf("sorted", 1)};
    const std::pair made{node.outputs[0], node.outputs[1]};
    ranks_.graph.AddNode(std::move(node));
    return made;
  }

  // Not a TopK of one: engines differ in which of equal elements that finds.
  ValueId Argument(const char* what, ValueId x, const Shape& shape, size_t axis) {
    const ValueId places =
        emitter_.Op(node_.op_type, name_ + what, {x}, shape,
                    {AttributeOf("axis", static_cast<int64_t>(axis)), AttributeOf("keepdims", 1)});
    ranks_.graph.value(places).type = DType::kInt64;
    return places;
  }

  std::pair<ValueId, ValueId> Extreme() {
    const ValueId places = Argument("/local", node_.inputs[0], Along(part_, 1), axis_);
    const ValueId values = emitter_.Op("GatherElements", name_ + "/local.values", {node_.inputs[0], places},
                                       Along(part_, 1), {AttributeOf("axis", static_cast<int64_t>(axis_))});
    return {values, places};
  }

  // Places in a rank's part as places in the whole.
  ValueId Global(ValueId places, int64_t count) {
    std::vector<Constant> first;
    for (int rank = 0; rank < ranks_.parts; ++rank)
      first.push_back(Constant::OfInt64({rank * (whole_.shape[axis_] / ranks_.parts)}, {1}));
    return emitter_.Op("Add", name_ + "/global",
                       {places, emitter_.PerRank(name_ + "/first", std::move(first))}, Along(part_, count));
  }

  ValueId Gathered(ValueId value, const Shape& shape, double bytes, const std::string& what) {
    const ValueId front = emitter_.ToFront(value, static_cast<int>(axis_), name_ + what + ".front");
    return emitter_.Collective(CollectiveOp::kAllGather, ReduceOp::kNone, front, shape, bytes, name_ + what);
  }

  ValueId Reduced(const char* op, ValueId value, ReduceOp reduce, const std::string& what, bool axes_input) {
    std::vector<ValueId> inputs{value};
    std::vector<Attribute> attributes{AttributeOf("keepdims", 1)};
    const auto axis = static_cast<int64_t>(axis_);
    if (axes_input) {
      inputs.push_back(emitter_.Integers(name_ + what + "/axes", {axis}));
    } else {
      Attribute axes;
      axes.name = "axes";
      axes.kind = Attribute::Kind::kInts;
      axes.ints = {axis};
      attributes.push_back(std::move(axes));
    }
    const ValueId part =
        emitter_.Op(op, name_ + what + ".partial", inputs, Along(part_, 1), std::move(attributes));
    return emitter_.Collective(CollectiveOp::kAllReduce, reduce, part, Along(part_, 1), lines_bytes_,
                               name_ + what);
  }

  void Finish(const char* op, std::vector<ValueId> inputs, ValueId output,
              std::vector<Attribute> attributes) {
    if (output == graph::kNoValue) return;
    Node node;
    node.name = ranks_.graph.value(output).name;
    node.op_type = op;
    node.inputs = std::move(inputs);
    node.outputs = {output};
    node.attributes = std::move(attributes);
    ranks_.graph.AddNode(std::move(node));
  }

  void Back(ValueId value, ValueId output) {
    Attribute order;
    order.name = "perm";
    order.kind = Attribute::Kind::kInts;
    for (size_t i = 0; i < part_.size(); ++i)
      order.ints.push_back(static_cast<int64_t>(i < axis_ ? i + 1 : (i == axis_ ? 0 : i)));
    Finish("Transpose", {value}, output, {std::move(order)});
  }

  void WithoutFront(ValueId value, ValueId output) {
    if (ranks_.graph.opset() >= 13) {
      Finish("Squeeze", {value, emitter_.Integers(name_ + "/front", {0})}, output, {});
      return;
    }
    Attribute axes;
    axes.name = "axes";
    axes.kind = Attribute::Kind::kInts;
    axes.ints = {0};
    Finish("Squeeze", {value}, output, {std::move(axes)});
  }

  Emitter& emitter_;
  RankModel& ranks_;
  const Value& whole_;
  const Node node_;
  const std::string name_;
  const Shape part_;  // of input 0, as a rank has it
  size_t axis_ = 0;
  double lines_bytes_ = 0;  // of one element of the axis, for all lines along it
};

}  // namespace

bool LooksAcross(const std::optional<Rule>& rule, const Row& row) {
  return rule && rule->across && row.factor == rule->across->factor;
}

void AddAcross(Emitter& emitter, const graph::Graph& model, const Node& original, Node node, double bytes) {
  const bool softmax = original.op_type.ends_with("Softmax");
  AcrossWriter writer(emitter, model, original, std::move(node), bytes);
  softmax ? writer.Softmax() : writer.Best();
}

}  // namespace tessera::shard
