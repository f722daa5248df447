// The nodes of a model's main graph.
#pragma once

#include <string>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/tensor_reader.h"

namespace tessera::graph {

class NodeReader {
 public:
  // Appends to `graph`, whose inputs and initializers are there, and to `inner_names` what the nodes'
  // subgraphs define. Both, and `tensors`, must outlive the reader.
  NodeReader(Graph& graph, TensorReader& tensors, std::vector<std::string>& inner_names)
      : graph_(graph), tensors_(tensors), inner_names_(inner_names) {}

  // Takes the nodes of `from`. Constants become values. Errors: kInvalidArgument, naming the node (values
  // that nothing defines or that are defined twice, nodes that are not in topological order, no op_type).
  Result<void> ReadAll(pb::GraphProto& from);

 private:
  Result<bool> DefineIfConstant(pb::NodeProto& proto, int index);
  Result<Node> Read(pb::NodeProto& proto, const std::string& by);
  Result<void> ResolveInputs(const pb::NodeProto& proto, const std::string& by, Node& node) const;
  Result<void> ReadAttributes(pb::NodeProto& proto, const std::string& by, Node& node);
  Result<void> DefineOutputs(const pb::NodeProto& proto, const std::string& by, Node& node);
  tl::unexpected<Error> Undefined(const std::string& value_name, const std::string& reader) const;

  Graph& graph_;
  TensorReader& tensors_;
  std::vector<std::string>& inner_names_;
  const pb::GraphProto* from_ = nullptr;
};

}  // namespace tessera::graph
