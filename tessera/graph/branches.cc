#include "tessera/graph/branches.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tessera/graph/subgraph.h"

namespace tessera::graph {
namespace {

using Nodes = google::protobuf::RepeatedPtrField<pb::NodeProto>;

constexpr int kMostSupposed = 4;  // Ifs one behind the other, each tried both ways

pb::GraphProto* BranchOf(pb::NodeProto& node, std::string_view name) {
  for (auto& attribute : *node.mutable_attribute()) {
    if (attribute.name() == name && attribute.has_g()) return attribute.mutable_g();
  }
  return nullptr;
}

pb::NodeProto Identity(const std::string& name, const std::string& from, const std::string& to) {
  pb::NodeProto node;
  node.set_name(name);
  node.set_op_type("Identity");
  node.add_input(from);
  node.add_output(to);
  return node;
}

pb::NodeProto ConstantOf(pb::TensorProto tensor) {
  pb::NodeProto node;
  node.set_op_type("Constant");
  node.add_output(tensor.name());
  auto& value = *node.add_attribute();
  value.set_name("value");
  value.set_type(pb::AttributeProto::TENSOR);
  *value.mutable_t() = std::move(tensor);
  return node;
}

// What an If's multi-device annotations say of the value that `identity` makes in its place.
void KeepAnnotations(const pb::NodeProto& node, pb::NodeProto& identity) {
  for (const auto& configuration : node.device_configurations()) {
    auto& kept = *identity.add_device_configurations();
    kept.set_configuration_id(configuration.configuration_id());
    if (configuration.has_pipeline_stage()) kept.set_pipeline_stage(configuration.pipeline_stage());
    for (const auto& spec : configuration.sharding_spec()) {
      if (spec.tensor_name() == identity.output(0)) *kept.add_sharding_spec() = spec;
    }
  }
}

class Settler {
 public:
  Settler(pb::GraphProto& graph, const Facts& outer) : scopes_{outer} {
    for (const auto& [name, fact] : outer) names_.insert(name);
    for (const std::string& name : NamesOf(graph).defined) {
      if (!names_.insert(name).second) twice_.insert(name);
    }
  }

  // False: every way through the graph fails.
  bool Settle(pb::GraphProto& graph) {
    scopes_.emplace_back();
    for (const auto& input : graph.input()) Know(input.name(), FactOf(input));
    for (const auto& tensor : graph.initializer()) Know(tensor.name(), FactOf(tensor));
    const bool possible = SettleNodes(*graph.mutable_node(), 0);
    left_ = std::move(scopes_.back());
    scopes_.pop_back();
    return possible;
  }

 private:
  void Know(const std::string& name, Fact fact) {
    if (!name.empty()) scopes_.back()[name] = std::move(fact);
  }

  const Fact* Find(const std::string& name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
      const auto found = scope->find(name);
      if (found != scope->end()) return &found->second;
    }
    return nullptr;
  }

  bool SettleNodes(Nodes& nodes, int from) {
    for (int i = from; i < nodes.size(); ++i) {
      if (nodes[i].op_type() == "If" && nodes[i].input_size() == 1) {
        const auto taken = Decide(nodes, i);
        if (!taken) return false;
        if (!taken->empty()) {
          Take(nodes, i, *taken);
          --i;  // the branch's own nodes come next
        }
      } else if (!InferNode(nodes[i])) {
        return false;
      }
    }
    return true;
  }

  bool InferNode(const pb::NodeProto& node) {
    auto outputs = Infer(node, [this](const std::string& name) { return Find(name); });
    if (!outputs) return false;
    for (int i = 0; i < node.output_size(); ++i) {
      const auto at = static_cast<size_t>(i);
      Know(node.output(i), at < outputs->size() ? std::move((*outputs)[at]) : Fact());
    }
    return true;
  }

  // The branch to take, "" if that is left to the run; nullopt: both fail.
  std::optional<std::string> Decide(Nodes& nodes, int i) {
    pb::NodeProto& node = *nodes.Mutable(i);
    if (BranchOf(node, "then_branch") == nullptr || BranchOf(node, "else_branch") == nullptr)
      return std::string();
    const std::pair<std::string, std::string> both{"then_branch", "else_branch"};
    const Fact* condition = Find(node.input(0));
    if (condition != nullptr && condition->has_elements && condition->elements.size() == 1 &&
        condition->elements[0]) {
      return *condition->elements[0] != 0 ? both.first : both.second;
    }
    std::vector<Fact> outputs;
    const auto possible = SettleBoth(node, outputs);
    if (!possible.first && !possible.second) return std::nullopt;
    if (possible.first != possible.second) return possible.first ? both.first : both.second;
    for (int k = 0; k < node.output_size(); ++k) Know(node.output(k), outputs[static_cast<size_t>(k)]);
    const bool ranks_known =
        std::all_of(outputs.begin(), outputs.end(), [](const Fact& fact) { return fact.has_rank; });
    if (ranks_known || supposed_ == kMostSupposed) return std::string();
    const bool then_goes_on = GoesOn(nodes, i, both.first);
    const bool else_goes_on = GoesOn(nodes, i, both.second);
    if (then_goes_on == else_goes_on) return then_goes_on ? std::optional(std::string()) : std::nullopt;
    return then_goes_on ? both.first : both.second;
  }

  // Settles both branches; `outputs` gets what holds whichever is taken.
  std::pair<bool, bool> SettleBoth(pb::NodeProto& node, std::vector<Fact>& outputs) {
    std::vector<std::vector<Fact>> of_branch;
    std::vector<bool> possible;
    for (const char* name : {"then_branch", "else_branch"}) {
      pb::GraphProto& branch = *BranchOf(node, name);
      possible.push_back(Settle(branch));
      of_branch.emplace_back();
      for (int k = 0; k < node.output_size(); ++k)
        of_branch.back().push_back(k < branch.output_size() ? OfOutput(branch.output(k).name()) : Fact());
    }
    for (size_t k = 0; k < of_branch[0].size(); ++k)
      outputs.push_back(Either(of_branch[0][k], of_branch[1][k]));
    return {possible[0], possible[1]};
  }

  // Of the graph that was settled last; it may give a value from outside.
  Fact OfOutput(const std::string& name) const {
    const auto own = left_.find(name);
    if (own != left_.end()) return own->second;
    const Fact* outer = Find(name);
    return outer == nullptr ? Fact() : *outer;
  }

  // Whether the nodes from the If on can run with this branch in its place.
  bool GoesOn(const Nodes& nodes, int i, const std::string& branch) {
    Nodes rest(nodes);
    const Facts before = scopes_.back();
    const auto names = names_;
    ++supposed_;
    Take(rest, i, branch);
    const bool possible = SettleNodes(rest, i);
    --supposed_;
    names_ = names;
    scopes_.back() = before;
    return possible;
  }

  void Take(Nodes& nodes, int i, const std::string& branch) {
    pb::NodeProto node = nodes[i];
    pb::GraphProto* graph = BranchOf(node, branch);
    Rename(*graph);
    Nodes settled;
    for (int k = 0; k < i; ++k) settled.Add(std::move(*nodes.Mutable(k)));
    for (auto& tensor : *graph->mutable_initializer()) settled.Add(ConstantOf(std::move(tensor)));
    for (auto& inner : *graph->mutable_node()) settled.Add(std::move(inner));
    for (int k = 0; k < node.output_size() && k < graph->output_size(); ++k) {
      if (node.output(k).empty()) continue;
      settled.Add(Identity(node.name() + "/" + node.output(k), graph->output(k).name(), node.output(k)));
      KeepAnnotations(node, *settled.rbegin());
    }
    for (int k = i + 1; k < nodes.size(); ++k) settled.Add(std::move(*nodes.Mutable(k)));
    nodes.Swap(&settled);
  }

  // Names that other graphs of the model define as well get one of their own.
  void Rename(pb::GraphProto& graph) {
    std::unordered_map<std::string, std::string> renamed;
    const auto define = [&](std::string& name) {
      if (!twice_.contains(name)) return;
      std::string own = name;
      for (int k = 1; !names_.insert(own).second; ++k) own = name + "_" + std::to_string(k);
      name = renamed[name] = own;
    };
    const auto read = [&](std::string& name) {
      const auto found = renamed.find(name);
      if (found != renamed.end()) name = found->second;
    };
    for (auto& tensor : *graph.mutable_initializer()) define(*tensor.mutable_name());
    for (auto& node : *graph.mutable_node()) {
      for (auto& input : *node.mutable_input()) read(input);
      for (auto& attribute : *node.mutable_attribute()) RenameCaptured(renamed, attribute);
      for (auto& output : *node.mutable_output()) define(output);
    }
    for (auto& output : *graph.mutable_output()) read(*output.mutable_name());
  }

  std::vector<Facts> scopes_;  // the innermost last
  Facts left_;                 // of the graph that was settled last
  std::set<std::string> names_;
  std::set<std::string> twice_;
  int supposed_ = 0;
};

}  // namespace

void SettleBranches(pb::GraphProto& graph, const Facts& outer) {
  pb::GraphProto settled = graph;
  if (Settler(settled, outer).Settle(settled)) graph.Swap(&settled);
}

}  // namespace tessera::graph
