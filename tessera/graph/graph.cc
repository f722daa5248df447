#include "tessera/graph/graph.h"

#include <algorithm>
#include <utility>

namespace tessera::graph {
namespace {

Attribute& FindOrAdd(std::vector<Attribute>& attributes, std::string_view name, Attribute::Kind kind) {
  auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == name; });
  if (found == attributes.end()) found = attributes.emplace(attributes.end());
  *found = Attribute{};
  found->name = name;
  found->kind = kind;
  return *found;
}

}  // namespace

const Attribute* Node::Find(std::string_view attribute) const {
  const auto found =
      std::find_if(attributes.begin(), attributes.end(), [&](const auto& a) { return a.name == attribute; });
  return found == attributes.end() ? nullptr : &*found;
}

int64_t Node::Int(std::string_view attribute, int64_t otherwise) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->kind == Attribute::Kind::kInt ? found->i : otherwise;
}

float Node::Float(std::string_view attribute, float otherwise) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->kind == Attribute::Kind::kFloat ? found->f : otherwise;
}

std::string Node::String(std::string_view attribute, std::string_view otherwise) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->kind == Attribute::Kind::kString ? found->s : std::string(otherwise);
}

std::vector<int64_t> Node::Ints(std::string_view attribute) const {
  const Attribute* found = Find(attribute);
  return found != nullptr && found->kind == Attribute::Kind::kInts ? found->ints : std::vector<int64_t>{};
}

void Node::Set(std::string_view attribute, int64_t value) {
  FindOrAdd(attributes, attribute, Attribute::Kind::kInt).i = value;
}

void Node::Set(std::string_view attribute, std::vector<int64_t> values) {
  FindOrAdd(attributes, attribute, Attribute::Kind::kInts).ints = std::move(values);
}

void Node::Set(std::string_view attribute, std::string value) {
  FindOrAdd(attributes, attribute, Attribute::Kind::kString).s = std::move(value);
}

int64_t Graph::opset() const {
  const auto found = opsets.find("");
  return found == opsets.end() ? 0 : found->second;
}

ValueId Graph::AddValue(std::string_view value_name, DType type, Shape shape) {
  std::string unique(value_name);
  if (by_name_.contains(unique)) {
    int& suffix = suffixes_[unique];
    do {
      unique = std::string(value_name) + "_" + std::to_string(++suffix);
    } while (by_name_.contains(unique));
  }
  const ValueId id{static_cast<int32_t>(values_.size())};
  by_name_.emplace(unique, id);
  Value value;
  value.name = std::move(unique);
  value.type = type;
  value.has_shape = true;
  value.symbols.assign(shape.size(), -1);
  value.shape = std::move(shape);
  values_.push_back(std::move(value));
  return id;
}

ValueId Graph::AddConstant(std::string_view value_name, Constant constant) {
  const ValueId id = AddValue(value_name, constant.type, constant.shape);
  value(id).constant = std::make_shared<const Constant>(std::move(constant));
  return id;
}

NodeId Graph::AddNode(Node node) {
  const NodeId id{static_cast<int32_t>(nodes_.size())};
  for (ValueId output : node.outputs) {
    if (output != kNoValue) value(output).producer = id;
  }
  nodes_.push_back(std::move(node));
  return id;
}

void Graph::RemoveNodes(const std::set<NodeId>& gone) {
  std::vector<Node> all = std::exchange(nodes_, {});
  for (Value& value : values_) value.producer = kNoNode;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!gone.contains(NodeId{static_cast<int32_t>(i)})) AddNode(std::move(all[i]));
  }
}

std::optional<ValueId> Graph::FindValue(std::string_view value_name) const {
  const auto found = by_name_.find(value_name);
  if (found == by_name_.end() || found->second == kNoValue) return std::nullopt;
  return found->second;
}

void Graph::ReserveName(std::string_view value_name) {
  by_name_.emplace(value_name, kNoValue);
}

std::vector<std::vector<NodeId>> Graph::Consumers() const {
  std::vector<std::vector<NodeId>> consumers(values_.size());
  const auto add = [&](ValueId value, NodeId node) {
    if (value != kNoValue) consumers[static_cast<size_t>(value.value())].push_back(node);
  };
  for (size_t i = 0; i < nodes_.size(); ++i) {
    const NodeId id{static_cast<int32_t>(i)};
    for (ValueId input : nodes_[i].inputs) add(input, id);
    for (const Attribute& attribute : nodes_[i].attributes) {
      for (ValueId captured : attribute.captured) add(captured, id);
    }
  }
  return consumers;
}

}  // namespace tessera::graph
