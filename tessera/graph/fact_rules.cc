// What follows for the outputs of a node from what is known of its inputs, by op.
#include <algorithm>
#include <map>
#include <numeric>

#include "tessera/graph/node_facts.h"

namespace tessera::graph {
namespace {

using Element = std::optional<int64_t>;
using Elements = std::vector<Element>;
using Outputs = std::optional<std::vector<Fact>>;

Outputs One(Fact fact) {
  return std::vector<Fact>{std::move(fact)};
}
Outputs Nothing() {
  return std::vector<Fact>{};
}

Fact ListOf(Elements elements) {
  const auto size = static_cast<int64_t>(elements.size());
  return Fact::Of({size}, std::move(elements));
}

Fact OfRank(size_t rank) {
  return Fact::Of(Shape(rank, kDynamic));
}

Outputs SameShape(const NodeFacts& node) {
  Fact fact = node.in(0);
  fact.has_elements = false;
  fact.elements.clear();
  return One(fact);
}

Outputs Same(const NodeFacts& node) {
  return One(node.in(0));
}

Outputs SameRank(const NodeFacts& node) {
  return node.in(0).has_rank ? One(OfRank(node.in(0).shape.size())) : Nothing();
}

Outputs Mapped(const NodeFacts& node, int64_t (*map)(int64_t)) {
  Fact fact = node.in(0);
  for (Element& element : fact.elements) {
    if (element) element = map(*element);
  }
  return One(fact);
}

Outputs Not(const NodeFacts& node) {
  return Mapped(node, [](int64_t x) -> int64_t { return x == 0 ? 1 : 0; });
}

Outputs Cast(const NodeFacts& node) {
  switch (node.Int("to", 0)) {
    case pb::TensorProto::BOOL:
      return Mapped(node, [](int64_t x) -> int64_t { return x != 0 ? 1 : 0; });
    case pb::TensorProto::INT64:
      return Same(node);
    default:
      return SameShape(node);
  }
}

int64_t BroadcastSize(int64_t a, int64_t b) {
  if (a == b || b == 1) return a;
  if (a == 1) return b;
  return a == kDynamic ? b : a;  // a dynamic one is 1 or the same
}

Shape BroadcastShape(Shape a, Shape b) {
  if (a.size() < b.size()) std::swap(a, b);
  const size_t lead = a.size() - b.size();
  for (size_t i = 0; i < b.size(); ++i) a[lead + i] = BroadcastSize(a[lead + i], b[i]);
  return a;
}

Outputs Broadcast(const NodeFacts& node) {
  if (!node.in(0).has_rank || !node.in(1).has_rank) return Nothing();
  return One(Fact::Of(BroadcastShape(node.in(0).shape, node.in(1).shape)));
}

int64_t Compare(const std::string& op, int64_t a, int64_t b) {
  static const std::map<std::string, bool (*)(int64_t, int64_t), std::less<>> kOps{
      {"Equal", [](int64_t x, int64_t y) { return x == y; }},
      {"Greater", [](int64_t x, int64_t y) { return x > y; }},
      {"Less", [](int64_t x, int64_t y) { return x < y; }},
      {"GreaterOrEqual", [](int64_t x, int64_t y) { return x >= y; }},
      {"LessOrEqual", [](int64_t x, int64_t y) { return x <= y; }},
      {"And", [](int64_t x, int64_t y) { return x != 0 && y != 0; }},
      {"Or", [](int64_t x, int64_t y) { return x != 0 || y != 0; }}};
  return kOps.find(op)->second(a, b) ? 1 : 0;
}

Outputs Comparison(const NodeFacts& node) {
  Outputs outputs = Broadcast(node);
  const Elements& a = node.in(0).elements;
  const Elements& b = node.in(1).elements;
  const bool paired = a.size() == b.size() || a.size() == 1 || b.size() == 1;
  if (outputs->empty() || !node.in(0).has_elements || !node.in(1).has_elements || !paired) return outputs;
  Fact& fact = outputs->front();
  fact.has_elements = true;
  for (size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const Element& x = a[a.size() == 1 ? 0 : i];
    const Element& y = b[b.size() == 1 ? 0 : i];
    fact.elements.push_back(x && y ? Element(Compare(node.op(), *x, *y)) : std::nullopt);
  }
  return outputs;
}

Outputs ShapeOf(const NodeFacts& node) {
  if (!node.in(0).has_rank || node.Find("start") != nullptr || node.Find("end") != nullptr)
    return One(OfRank(1));
  Elements elements;
  for (const int64_t size : node.in(0).shape)
    elements.push_back(size == kDynamic ? std::nullopt : Element(size));
  return One(ListOf(std::move(elements)));
}

Outputs SizeOf(const NodeFacts& node) {
  const Shape& shape = node.in(0).shape;
  const bool known = node.in(0).has_rank && std::find(shape.begin(), shape.end(), kDynamic) == shape.end();
  if (!known) return One(Fact::Of({}));
  return One(Fact::Of({}, {std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>())}));
}

Elements Picked(const Elements& from, const Elements& indices) {
  Elements picked;
  const auto size = static_cast<int64_t>(from.size());
  for (const Element& index : indices) {
    const int64_t at = !index ? -1 : *index < 0 ? *index + size : *index;
    picked.push_back(at < 0 || at >= size ? std::nullopt : from[static_cast<size_t>(at)]);
  }
  return picked;
}

Outputs Gather(const NodeFacts& node) {
  const Fact& data = node.in(0);
  const Fact& indices = node.in(1);
  if (!data.has_rank || !indices.has_rank || data.shape.empty()) return Nothing();
  const auto rank = static_cast<int64_t>(data.shape.size());
  const int64_t axis = (node.Int("axis", 0) + rank) % rank;
  Shape shape(data.shape.begin(), data.shape.begin() + axis);
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + axis + 1, data.shape.end());
  if (rank > 1 || !data.has_elements || !indices.has_elements) return One(Fact::Of(std::move(shape)));
  return One(Fact::Of(std::move(shape), Picked(data.elements, indices.elements)));
}

// Elements stay in their order.
Fact Reshaped(const Fact& fact, Shape shape) {
  Fact reshaped = fact;
  reshaped.shape = std::move(shape);
  return reshaped;
}

Outputs Unsqueeze(const NodeFacts& node) {
  const auto axes = node.Axes();
  if (!axes || !node.in(0).has_rank) return Nothing();
  const auto rank = static_cast<int64_t>(node.in(0).shape.size() + axes->size());
  std::vector<bool> added(static_cast<size_t>(rank));
  for (const int64_t axis : *axes) {
    if (axis < -rank || axis >= rank) return std::nullopt;
    added[static_cast<size_t>(axis < 0 ? axis + rank : axis)] = true;
  }
  Shape shape;
  auto next = node.in(0).shape.begin();
  for (const bool one : added) shape.push_back(one ? 1 : *next++);
  return One(Reshaped(node.in(0), std::move(shape)));
}

Outputs Squeeze(const NodeFacts& node) {
  const auto axes = node.Axes();
  if (!axes || axes->empty() || !node.in(0).has_rank) return Nothing();
  Shape shape = node.in(0).shape;
  const auto rank = static_cast<int64_t>(shape.size());
  std::vector<bool> removed(shape.size());
  for (const int64_t axis : *axes) {
    if (axis < -rank || axis >= rank) return std::nullopt;
    const auto at = static_cast<size_t>(axis < 0 ? axis + rank : axis);
    if (shape[at] != kDynamic && shape[at] != 1) return std::nullopt;
    removed[at] = true;
  }
  Shape left;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (!removed[i]) left.push_back(shape[i]);
  }
  return One(Reshaped(node.in(0), std::move(left)));
}

Outputs Concat(const NodeFacts& node) {
  if (node.inputs() == 0 || !node.in(0).has_rank) return Nothing();
  const size_t rank = node.in(0).shape.size();
  if (rank != 1) return One(OfRank(rank));
  Elements elements;
  for (int i = 0; i < node.inputs(); ++i) {
    if (!node.in(i).has_elements) return One(OfRank(1));
    elements.insert(elements.end(), node.in(i).elements.begin(), node.in(i).elements.end());
  }
  return One(ListOf(std::move(elements)));
}

Outputs Conv(const NodeFacts& node) {
  const Fact& x = node.in(0);
  const Fact& w = node.in(1);
  if (!x.has_rank || !w.has_rank) return Nothing();
  if (x.shape.size() != w.shape.size() || x.shape.size() < 3) return std::nullopt;
  Fact fact = OfRank(x.shape.size());
  fact.shape[0] = x.shape[0];
  fact.shape[1] = w.shape[0];
  return One(fact);
}

// Y [steps, directions, batch, hidden], Y_h and Y_c without the steps.
Outputs Recurrent(const NodeFacts& node) {
  if (node.in(0).has_rank && node.in(0).shape.size() != 3) return std::nullopt;
  return std::vector<Fact>{OfRank(4), OfRank(3), OfRank(3)};
}

using Rule = Outputs (*)(const NodeFacts&);

const std::map<std::string, Rule, std::less<>>& Rules() {
  static const std::map<std::string, Rule, std::less<>> rules = [] {
    std::map<std::string, Rule, std::less<>> made{
        {"Identity", Same},       {"Not", Not},          {"Cast", Cast},
        {"Shape", ShapeOf},       {"Size", SizeOf},      {"Gather", Gather},
        {"Unsqueeze", Unsqueeze}, {"Squeeze", Squeeze},  {"Concat", Concat},
        {"Conv", Conv},           {"LSTM", Recurrent},   {"GRU", Recurrent},
        {"RNN", Recurrent},       {"Pad", SameRank},     {"Slice", SameRank},
        {"Transpose", SameRank},  {"MaxPool", SameRank}, {"AveragePool", SameRank}};
    for (const char* op :
         {"Relu", "Sigmoid", "Tanh", "Sqrt", "Exp", "Log", "Neg", "Abs", "Erf", "Clip", "Floor", "Ceil",
          "Softmax", "LeakyRelu", "Elu", "Gelu", "Softplus", "Reciprocal"}) {
      made[op] = SameShape;
    }
    for (const char* op : {"Add", "Sub", "Mul", "Div", "Pow"}) made[op] = Broadcast;
    for (const char* op : {"Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual", "And", "Or"}) {
      made[op] = Comparison;
    }
    return made;
  }();
  return rules;
}

}  // namespace

std::optional<std::vector<Fact>> Infer(const pb::NodeProto& node, const FindFact& find) {
  if (!IsStandardDomain(node.domain())) return Nothing();
  if (node.op_type() == "Constant") {
    const bool tensor = node.attribute_size() == 1 && node.attribute(0).has_t();
    return tensor ? One(FactOf(node.attribute(0).t())) : Nothing();
  }
  const auto rule = Rules().find(node.op_type());
  return rule == Rules().end() ? Nothing() : rule->second(NodeFacts(node, find));
}

}  // namespace tessera::graph
