#include "tessera/shard/emitter.h"

#include <algorithm>
#include <utility>

#include "tessera/plan/dist_collective.h"

namespace tessera::shard {
namespace {

using graph::Attribute;
using graph::ValueId;

Attribute Ints(const char* name, std::vector<int64_t> values) {
  Attribute a;
  a.name = name;
  a.kind = Attribute::Kind::kInts;
  a.ints = std::move(values);
  return a;
}

Attribute Int(const char* name, int64_t value) {
  Attribute a;
  a.name = name;
  a.kind = Attribute::Kind::kInt;
  a.i = value;
  return a;
}

// The permutation that brings `axis` to the front; `back`: its inverse.
std::vector<int64_t> FrontOrder(size_t rank, int axis, bool back) {
  std::vector<int64_t> order;
  for (int64_t i = 0; i < static_cast<int64_t>(rank); ++i) {
    if (back)
      order.push_back(i < axis ? i + 1 : (i == axis ? 0 : i));
    else
      order.push_back(i == 0 ? axis : (i <= axis ? i - 1 : i));
  }
  return order;
}

}  // namespace

ValueId Emitter::Value(const std::string& name, const graph::Value& like, Shape shape) {
  const ValueId id = model_.graph.AddValue(name, like.type, std::move(shape));
  graph::Value& value = model_.graph.value(id);
  value.has_shape = like.has_shape;
  if (!like.has_shape) value.shape.clear();
  value.symbols = like.symbols;
  value.rest = like.rest;
  return id;
}

ValueId Emitter::Constant(const std::string& name, graph::Constant constant) {
  const ValueId id = model_.graph.AddConstant(name, constant);
  model_.constants[id] = {
      std::make_shared<const graph::Constant>(std::move(constant)), State::Replicated(), {}};
  return id;
}

ValueId Emitter::Integers(const std::string& name, const std::vector<int64_t>& values) {
  return Constant(name, graph::Constant::OfInt64(values, {static_cast<int64_t>(values.size())}));
}

ValueId Emitter::PerRank(const std::string& name, std::vector<graph::Constant> by_rank) {
  const ValueId id = model_.graph.AddConstant(name, by_rank[0]);
  model_.constants[id] = {nullptr, State::Replicated(), std::move(by_rank)};
  return id;
}

ValueId Emitter::Op(const std::string& op, const std::string& name, const std::vector<ValueId>& inputs,
                    Shape shape, std::vector<Attribute> attributes) {
  const graph::Value like = model_.graph.value(inputs[0]);
  const ValueId out = model_.graph.AddValue(name, like.type, std::move(shape));
  model_.graph.value(out).has_shape = like.has_shape;
  graph::Node node;
  node.name = model_.graph.value(out).name;
  node.op_type = op;
  node.inputs = inputs;
  node.outputs = {out};
  node.attributes = std::move(attributes);
  model_.graph.AddNode(std::move(node));
  return out;
}

ValueId Emitter::ToFront(ValueId value, int axis, const std::string& name) {
  if (axis == 0) return value;
  Shape shape = model_.graph.value(value).shape;
  const auto order = FrontOrder(shape.size(), axis, false);
  std::rotate(shape.begin(), shape.begin() + axis, shape.begin() + axis + 1);
  return Op("Transpose", name, {value}, std::move(shape), {Ints("perm", order)});
}

ValueId Emitter::FromFront(ValueId value, int axis, const std::string& name) {
  if (axis == 0) return value;
  Shape shape = model_.graph.value(value).shape;
  const auto order = FrontOrder(shape.size(), axis, true);
  std::rotate(shape.begin(), shape.begin() + 1, shape.begin() + axis + 1);
  return Op("Transpose", name, {value}, std::move(shape), {Ints("perm", order)});
}

ValueId Emitter::Take(ValueId value, int axis, std::vector<std::vector<int64_t>> indices,
                      const std::string& name) {
  Shape shape = model_.graph.value(value).shape;
  const auto count = static_cast<int64_t>(indices[0].size());
  shape[static_cast<size_t>(axis)] = count;
  std::vector<graph::Constant> constants;
  for (const auto& list : indices) constants.push_back(graph::Constant::OfInt64(list, {count}));
  const ValueId which = constants.size() == 1 ? Constant(name + "/indices", std::move(constants[0]))
                                              : PerRank(name + "/indices", std::move(constants));
  return Op("Gather", name, {value, which}, std::move(shape), {Int("axis", axis)});
}

std::vector<ValueId> Emitter::Split(ValueId value, int axis, const Shape& part, const std::string& name) {
  const graph::Value like = model_.graph.value(value);
  graph::Node node;
  node.name = name;
  node.op_type = "Split";
  node.inputs = {value};
  node.attributes = {Int("axis", axis)};
  // From opset 18 on the number of parts must be told; before, it is that of the outputs.
  if (model_.graph.opset() >= 18) node.attributes.push_back(Int("num_outputs", model_.parts));
  for (int rank = 0; rank < model_.parts; ++rank) {
    node.outputs.push_back(model_.graph.AddValue(name, like.type, part));
    model_.graph.value(node.outputs.back()).has_shape = like.has_shape;
  }
  std::vector<ValueId> outputs = node.outputs;
  model_.graph.AddNode(std::move(node));
  return outputs;
}

void Emitter::Cut(ValueId value, int axis, const std::vector<ValueId>& pieces, const std::string& name) {
  graph::Node node;
  node.name = name;
  node.op_type = "Split";
  node.inputs = {value};
  node.attributes = {Int("axis", axis)};
  node.outputs = pieces;
  std::vector<int64_t> sizes;
  for (const ValueId id : pieces) sizes.push_back(model_.graph.value(id).shape[static_cast<size_t>(axis)]);
  // The sizes became an input with opset 13.
  if (model_.graph.opset() >= 13)
    node.inputs.push_back(Integers(name + "/sizes", sizes));
  else
    node.attributes.push_back(Ints("split", std::move(sizes)));
  model_.graph.AddNode(std::move(node));
}

ValueId Emitter::Concat(const std::vector<ValueId>& parts, int axis, Shape shape, const std::string& name) {
  return Op("Concat", name, parts, std::move(shape), {Int("axis", axis)});
}

ValueId Emitter::Collective(CollectiveOp op, ReduceOp reduce, ValueId value, Shape shape, double send_bytes,
                            const std::string& name) {
  namespace dist = plan::dist_collective;
  const Shape sent = model_.graph.value(value).shape;
  const ValueId out = Op(dist::kOpType, name, {value}, std::move(shape));
  graph::Node& node = model_.graph.node(model_.graph.value(out).producer);
  node.domain = dist::kDomain;
  node.Set(dist::kOperation, std::string(Name(op)));
  node.Set(dist::kReduceOp, std::string(Name(reduce)));
  node.Set(dist::kRoot, dist::kNoRoot);
  node.Set(dist::kRankCount, int64_t{model_.parts});
  node.Set(dist::kGroups, std::vector<int64_t>{});
  node.Set(dist::kGroupSize, int64_t{0});
  model_.collectives.push_back({node.name, op, reduce, axis_name_, model_.graph.value(value).type, sent,
                                ByteCount{static_cast<uint64_t>(send_bytes)}});
  return out;
}

}  // namespace tessera::shard
