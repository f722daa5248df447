#include "tessera/shard/local_lookup.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tessera::shard {
namespace {

using graph::Constant;
using graph::Node;
using graph::Value;
using graph::ValueId;

Constant Integer(DType type, int64_t number) {
  if (type == DType::kInt64) return Constant::OfInt64({number}, {});
  const auto narrow = static_cast<int32_t>(number);
  std::vector<std::byte> bytes(sizeof(narrow));
  std::memcpy(bytes.data(), &narrow, sizeof(narrow));
  return Constant::OfBytes(DType::kInt32, {}, std::move(bytes));
}

class Lookup {
 public:
  Lookup(Emitter& emitter, const graph::Graph& model, const Node& original)
      : emitter_(emitter),
        ranks_(emitter.model()),
        data_(model.value(original.inputs[0])),
        indices_(model.value(original.inputs[1])),
        name_(original.name.empty() ? original.op_type : original.name) {
    const int64_t axis = original.Int("axis", 0);
    axis_ = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(data_.shape.size()) : axis);
    size_ = data_.shape[axis_];
  }

  void Add(Node node) {
    const ValueId place = Place(node.inputs[1]);
    const ValueId here = Op("Less", "/here", {place, Number("/part", size_ / ranks_.parts)}, DType::kBool);
    node.inputs[1] = Op("Where", "/local", {here, place, Number("/nowhere", 0)}, indices_.type);
    const ValueId result = node.outputs[0];
    const Value like = ranks_.graph.value(result);
    node.outputs[0] = ranks_.graph.AddValue(like.name + ".found", like.type, like.shape);
    ranks_.graph.value(node.outputs[0]).has_shape = like.has_shape;
    const ValueId found = node.outputs[0];
    ranks_.graph.AddNode(std::move(node));
    const auto bytes = static_cast<size_t>(BitsOf(data_.type)) / 8;
    const ValueId zero =
        emitter_.Constant(name_ + "/zero", Constant::OfBytes(data_.type, {}, std::vector<std::byte>(bytes)));
    Node masked;
    masked.name = like.name;
    masked.op_type = "Where";
    masked.inputs = {Mask(here), found, zero};
    masked.outputs = {result};
    ranks_.graph.AddNode(std::move(masked));
  }

 private:
  ValueId Op(const char* op, const char* what, const std::vector<ValueId>& inputs, DType type) {
    const ValueId id = emitter_.Op(op, name_ + what, inputs, indices_.shape);
    ranks_.graph.value(id).type = type;
    return id;
  }
  ValueId Number(const char* what, int64_t number) {
    return emitter_.Constant(name_ + what, Integer(indices_.type, number));
  }

  ValueId Place(ValueId indices) {
    std::vector<Constant> first;
    for (int rank = 0; rank < ranks_.parts; ++rank)
      first.push_back(Integer(indices_.type, rank * (size_ / ranks_.parts)));
    const ValueId shifted =
        Op("Sub", "/shifted", {indices, emitter_.PerRank(name_ + "/first", std::move(first))}, indices_.type);
    return Op("Mod", "/place", {shifted, Number("/size", size_)}, indices_.type);
  }

  // Over the dimensions that the table has behind the axis.
  ValueId Mask(ValueId here) {
    const size_t behind = data_.shape.size() - axis_ - 1;
    if (behind == 0 || indices_.shape.empty()) return here;
    std::vector<int64_t> axes;
    Shape shape = indices_.shape;
    for (size_t i = 0; i < behind; ++i) {
      axes.push_back(static_cast<int64_t>(shape.size()));
      shape.push_back(1);
    }
    const bool attribute = ranks_.graph.opset() < 13;
    std::vector<ValueId> inputs{here};
    if (!attribute) inputs.push_back(emitter_.Integers(name_ + "/mask.axes", axes));
    const ValueId mask = emitter_.Op("Unsqueeze", name_ + "/mask", inputs, shape);
    if (attribute) ranks_.graph.node(ranks_.graph.value(mask).producer).Set("axes", axes);
    return mask;
  }

  Emitter& emitter_;
  RankModel& ranks_;
  const Value& data_;
  const Value& indices_;
  std::string name_;
  size_t axis_ = 0;
  int64_t size_ = 0;
};

}  // namespace

void AddToRank(Emitter& emitter, const graph::Graph& model, const Node& original,
               const std::optional<Rule>& rule, const Row& row, Node node) {
  const bool in_parts = rule && rule->looked_up != kNoFactor && row.factor == rule->looked_up;
  if (in_parts)
    Lookup(emitter, model, original).Add(std::move(node));
  else
    emitter.model().graph.AddNode(std::move(node));
}

}  // namespace tessera::shard
