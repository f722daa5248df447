#include "tessera/engine/openvino/link_collectives.h"

#include <algorithm>
#include <map>
#include <openvino/frontend/onnx/extension/conversion.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/util/multi_subgraph_base.hpp>
#include <unordered_map>

#include "tessera/engine/openvino/types.h"
#include "tessera/plan/dist_collective.h"

namespace tessera::engine::openvino {
namespace {

namespace names = plan::dist_collective;
using Nodes = std::vector<std::shared_ptr<CollectiveNode>>;

CollectiveAttributes ReadAttributes(const ov::frontend::NodeContext& node) {
  CollectiveAttributes attributes;
  attributes.name = node.get_name();
  attributes.operation = node.get_attribute<std::string>(names::kOperation, "");
  attributes.reduce_op = node.get_attribute<std::string>(names::kReduceOp, "none");
  attributes.root = node.get_attribute<int64_t>(names::kRoot, names::kNoRoot);
  attributes.rank_count = node.get_attribute<int64_t>(names::kRankCount, 1);  // TensorRT's default
  attributes.groups = node.get_attribute<std::vector<int64_t>>(names::kGroups, {});
  attributes.group_size = node.get_attribute<int64_t>(names::kGroupSize, 0);
  return attributes;
}

bool HasCollective(const ov::Model& model) {
  for (const auto& node : model.get_ordered_ops()) {
    if (ov::is_type<CollectiveNode>(node)) return true;
    auto outer = std::dynamic_pointer_cast<ov::op::util::MultiSubGraphOp>(node);
    for (size_t i = 0; outer != nullptr && i < outer->get_internal_subgraphs_size(); ++i) {
      if (HasCollective(*outer->get_function(i))) return true;
    }
  }
  return false;
}

// In a topological order.
Result<Nodes> CollectNodes(const ov::Model& model) {
  Nodes nodes;
  for (const auto& node : model.get_ordered_ops()) {
    if (auto collective = std::dynamic_pointer_cast<CollectiveNode>(node)) nodes.push_back(collective);
    auto outer = std::dynamic_pointer_cast<ov::op::util::MultiSubGraphOp>(node);
    for (size_t i = 0; outer != nullptr && i < outer->get_internal_subgraphs_size(); ++i) {
      if (!HasCollective(*outer->get_function(i))) continue;
      return Fail(Code::kUnsupported, "node '{}' ({}) has a collective inside, where its order is not known",
                  outer->get_friendly_name(), outer->get_type_name());
    }
  }
  return nodes;
}

Result<comm::Collective> Parse(const CollectiveAttributes& node, int world_size) {
  const auto op = CollectiveOpFromName(node.operation);
  const auto reduce = ReduceOpFromName(node.reduce_op);
  if (!op || !reduce || Reduces(*op) != (*reduce != ReduceOp::kNone)) {
    return Fail(Code::kInvalidArgument, "collective '{}' is '{}' with reduce_op '{}'", node.name,
                node.operation, node.reduce_op);
  }
  if (node.rank_count != world_size) {
    return Fail(Code::kInvalidArgument, "collective '{}' is for {} ranks, the plan has {}", node.name,
                node.rank_count, world_size);
  }
  const bool root_fits =
      IsRooted(*op) ? node.root >= 0 && node.root < world_size : node.root == names::kNoRoot;
  if (!root_fits) {
    return Fail(Code::kInvalidArgument, "collective '{}' ({}) has root {} of {} ranks", node.name,
                node.operation, node.root, world_size);
  }
  if (!node.groups.empty() || node.group_size != 0) {
    return Fail(Code::kUnsupported, "collective '{}' is over a part of the ranks", node.name);
  }
  return comm::Collective{*op, *reduce, Rank{IsRooted(*op) ? static_cast<int>(node.root) : 0},
                          DType::kFloat32};
}

Result<comm::Collective> CheckNode(const CollectiveNode& node, const plan::CollectivePlan& wanted,
                                   int world_size) {
  TRY_ASSIGN(comm::Collective what, Parse(node.attributes(), world_size));
  if (what.op != wanted.op || what.reduce != wanted.reduce) {
    return Fail(Code::kInvalidArgument, "collective '{}' is {} {}, the plan wants {} {}", wanted.name,
                Name(what.op), Name(what.reduce), Name(wanted.op), Name(wanted.reduce));
  }
  const std::optional<DType> type = FromOv(node.get_input_element_type(0));
  if (type != wanted.type) {
    return Fail(Code::kInvalidArgument, "collective '{}' is of {}, the plan wants {}", wanted.name,
                node.get_input_element_type(0).get_type_name(), DTypeName(wanted.type));
  }
  what.type = *type;
  return what;
}

Result<Nodes> InPlanOrder(const Nodes& nodes, const std::vector<plan::CollectivePlan>& wanted) {
  std::map<std::string, std::shared_ptr<CollectiveNode>> by_name;
  for (const auto& node : nodes) by_name.emplace(node->attributes().name, node);
  Nodes ordered;
  for (const plan::CollectivePlan& next : wanted) {
    auto node = by_name.find(next.name);
    if (node == by_name.end()) {
      return Fail(Code::kInvalidArgument, "the model has no collective '{}', which the plan wants",
                  next.name);
    }
    ordered.push_back(node->second);
  }
  return ordered;
}

// The chain must not run against the data, or it would close a circle.
Result<void> CheckOrder(const ov::Model& model, const Nodes& ordered) {
  std::unordered_map<const ov::Node*, int> place_of;
  for (const auto& node : ordered) place_of.emplace(node.get(), static_cast<int>(place_of.size()));
  std::unordered_map<const ov::Node*, int> latest;  // place of the last collective before or at each node
  for (const auto& node : model.get_ordered_ops()) {
    int before = -1;
    for (const auto& input : node->input_values()) before = std::max(before, latest[input.get_node()]);
    auto place = place_of.find(node.get());
    if (place == place_of.end()) {
      latest[node.get()] = before;
      continue;
    }
    if (before > place->second) {
      return Fail(Code::kInvalidArgument,
                  "collective '{}' comes {}. in the plan, but needs the result of the {}.",
                  static_cast<const CollectiveNode&>(*node).attributes().name, place->second + 1, before + 1);
    }
    latest[node.get()] = place->second;
  }
  return {};
}

std::shared_ptr<ov::op::v0::Parameter> AddTokenInput(ov::Model& model) {
  auto token = std::make_shared<ov::op::v0::Parameter>(ov::element::i32, ov::PartialShape{1});
  token->set_friendly_name(kTokenInput);
  token->output(0).set_names({kTokenInput});
  model.add_parameters({token});
  return token;
}

}  // namespace

std::shared_ptr<ov::Extension> CollectiveExtension(const std::string& domain) {
  return std::make_shared<ov::frontend::onnx::ConversionExtension>(
      names::kOpType, domain, [](const ov::frontend::NodeContext& node) -> ov::OutputVector {
        return {std::make_shared<CollectiveNode>(node.get_input(0), ReadAttributes(node))->output(0)};
      });
}

Result<bool> LinkCollectives(ov::Model& model, const std::vector<plan::CollectivePlan>& wanted,
                             const std::shared_ptr<CollectiveSite>& site) {
  TRY_ASSIGN(const Nodes nodes, CollectNodes(model));
  if (nodes.size() != wanted.size()) {
    return Fail(Code::kInvalidArgument, "the model has {} collectives, the plan wants {}", nodes.size(),
                wanted.size());
  }
  if (nodes.empty()) return false;
  TRY_ASSIGN(const Nodes ordered, InPlanOrder(nodes, wanted));
  TRY(CheckOrder(model, ordered));

  ov::Output<ov::Node> token = AddTokenInput(model)->output(0);
  for (size_t i = 0; i < ordered.size(); ++i) {
    TRY_ASSIGN(const comm::Collective what, CheckNode(*ordered[i], wanted[i], site->end.world_size()));
    ordered[i]->Link(what, site, token);
    token = ordered[i]->output(1);
  }
  model.validate_nodes_and_infer_types();
  return true;
}

}  // namespace tessera::engine::openvino
