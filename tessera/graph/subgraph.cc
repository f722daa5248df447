#include "tessera/graph/subgraph.h"

#include <algorithm>
#include <functional>
#include <unordered_set>

namespace tessera::graph {
namespace {

using Names = std::unordered_set<std::string>;

// Calls `on_captured` with each name that a graph reads and no graph inside the attribute defines. The
// callback may change the name.
class ScopeWalker {
 public:
  using OnName = std::function<void(std::string&)>;
  ScopeWalker(OnName on_captured, OnName on_defined)
      : on_captured_(std::move(on_captured)), on_defined_(std::move(on_defined)) {}

  void Walk(pb::GraphProto& graph) {
    scopes_.emplace_back();
    for (auto& input : *graph.mutable_input()) Define(*input.mutable_name());
    for (auto& tensor : *graph.mutable_initializer()) Define(*tensor.mutable_name());
    for (auto& tensor : *graph.mutable_sparse_initializer()) {
      if (tensor.has_values()) Define(*tensor.mutable_values()->mutable_name());
    }
    for (auto& node : *graph.mutable_node()) {
      for (auto& input : *node.mutable_input()) Read(input);
      for (auto& attribute : *node.mutable_attribute()) Walk(attribute);
      for (auto& output : *node.mutable_output()) Define(output);
    }
    for (auto& output : *graph.mutable_output()) Read(*output.mutable_name());
    scopes_.pop_back();
  }

  void Walk(pb::AttributeProto& attribute) {
    if (attribute.has_g()) Walk(*attribute.mutable_g());
    for (auto& graph : *attribute.mutable_graphs()) Walk(graph);
  }

 private:
  void Define(std::string& name) {
    if (name.empty()) return;
    on_defined_(name);
    scopes_.back().insert(name);
  }
  void Read(std::string& name) {
    const bool inside =
        std::any_of(scopes_.begin(), scopes_.end(), [&](const Names& scope) { return scope.contains(name); });
    if (!name.empty() && !inside) on_captured_(name);
  }

  OnName on_captured_;
  OnName on_defined_;
  std::vector<Names> scopes_;
};

template <class Message>
SubgraphNames Collect(Message& message) {
  SubgraphNames names;
  Names seen;
  ScopeWalker walker(
      [&](std::string& name) {
        if (seen.insert(name).second) names.captured.push_back(name);
      },
      [&](std::string& name) { names.defined.push_back(name); });
  walker.Walk(message);
  return names;
}

}  // namespace

SubgraphNames NamesOf(pb::AttributeProto& attribute) {
  return Collect(attribute);
}

SubgraphNames NamesOf(pb::GraphProto& graph) {
  return Collect(graph);
}

void RenameCaptured(const std::unordered_map<std::string, std::string>& renamed,
                    pb::AttributeProto& attribute) {
  ScopeWalker walker(
      [&](std::string& name) {
        const auto found = renamed.find(name);
        if (found != renamed.end()) name = found->second;
      },
      [](std::string&) {});
  walker.Walk(attribute);
}

}  // namespace tessera::graph
