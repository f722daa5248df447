#include "tessera/graph/annotation.h"

#include <fmt/format.h>

#include "tessera/graph/schema.h"

namespace tessera::graph {
namespace {

ShardedAxis AxisOf(const pb::ShardedDimProto& proto) {
  ShardedAxis axis{proto.axis(), {}};
  for (const auto& factor : proto.simple_sharding())
    axis.factors.push_back({factor.has_dim_value() ? factor.dim_value() : kDynamic, factor.num_shards()});
  return axis;
}

Result<ShardedTensor> TensorOf(const pb::ShardingSpecProto& proto, const std::string& node) {
  ShardedTensor tensor;
  tensor.tensor = proto.tensor_name();
  if (tensor.tensor.empty())
    return Fail(Code::kInvalidArgument, "node '{}': a sharding_spec has no tensor_name", node);
  tensor.devices.assign(proto.device().begin(), proto.device().end());
  for (const auto& entry : proto.index_to_device_group_map())
    tensor.groups[entry.key()].assign(entry.value().begin(), entry.value().end());
  for (const auto& axis : proto.sharded_dim()) tensor.axes.push_back(AxisOf(axis));
  return tensor;
}

bool Annotated(const pb::GraphProto& graph);

bool Annotated(const pb::NodeProto& node) {
  if (node.device_configurations_size() > 0) return true;
  for (const auto& attribute : node.attribute()) {
    if (attribute.has_g() && Annotated(attribute.g())) return true;
    for (const auto& graph : attribute.graphs()) {
      if (Annotated(graph)) return true;
    }
  }
  return false;
}

bool Annotated(const pb::GraphProto& graph) {
  for (const auto& node : graph.node()) {
    if (Annotated(node)) return true;
  }
  return false;
}

}  // namespace

Result<std::vector<DeviceConfiguration>> DeviceConfigurations(const Graph& graph) {
  pb::ModelProto model;
  if (!model.ParseFromString(graph.rest)) return Fail(Code::kInternal, "the graph's rest is no ModelProto");
  std::vector<DeviceConfiguration> configurations;
  for (const auto& proto : model.configuration()) {
    if (proto.name().empty() || proto.num_devices() < 1) {
      return Fail(Code::kInvalidArgument,
                  "a device configuration '{}' of {} devices, wanted a name and at least one", proto.name(),
                  proto.num_devices());
    }
    configurations.push_back({proto.name(), proto.num_devices()});
  }
  return configurations;
}

Result<std::vector<NodeSharding>> ShardingsOf(const Node& node) {
  if (node.rest.empty()) return std::vector<NodeSharding>();
  pb::NodeProto proto;
  if (!proto.ParseFromString(node.rest)) return Fail(Code::kInternal, "a node's rest is no NodeProto");
  std::vector<NodeSharding> shardings;
  for (const auto& configuration : proto.device_configurations()) {
    NodeSharding sharding{configuration.configuration_id(), configuration.has_pipeline_stage(), {}};
    for (const auto& spec : configuration.sharding_spec()) {
      TRY_ASSIGN(ShardedTensor tensor, TensorOf(spec, node.name));
      sharding.tensors.push_back(std::move(tensor));
    }
    shardings.push_back(std::move(sharding));
  }
  return shardings;
}

std::string HiddenAnnotation(const Graph& graph) {
  pb::ModelProto model;
  model.ParseFromString(graph.rest);
  for (const auto& function : model.functions()) {
    for (const auto& node : function.node()) {
      if (Annotated(node)) return fmt::format("function '{}'", function.name());
    }
  }
  for (const Node& node : graph.nodes()) {
    for (const Attribute& attribute : node.attributes) {
      pb::NodeProto holder;
      if (attribute.kind == Attribute::Kind::kOther &&
          holder.add_attribute()->ParseFromString(attribute.raw) && Annotated(holder))
        return fmt::format("a subgraph of node '{}'", node.name);
    }
  }
  return "";
}

}  // namespace tessera::graph
