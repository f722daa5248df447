// For tests: small graphs, shapes given by hand.
#pragma once

#include <initializer_list>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "tessera/graph/graph.h"

namespace tessera::shard::testing {

using AttributeValue = std::variant<int64_t, std::vector<int64_t>, std::string>;
using Attributes = std::vector<std::pair<std::string, AttributeValue>>;

class GraphBuilder {
 public:
  explicit GraphBuilder(int64_t opset = 18);

  // Every kDynamic dimension gets the next of `symbols`, -1 past their end.
  graph::ValueId Input(const std::string& name, const Shape& shape, const std::vector<int32_t>& symbols = {},
                       DType type = DType::kFloat32);
  // A float constant, every element different and of both signs.
  graph::ValueId Weight(const std::string& name, const Shape& shape);
  graph::ValueId Ints(const std::string& name, const std::vector<int64_t>& values);
  graph::ValueId Scalar(const std::string& name, int64_t value);

  // Appends a node; its outputs are called after its op and number ("MatMul_2").
  graph::ValueId Op(const std::string& op, const std::vector<graph::ValueId>& inputs, const Shape& shape,
                    const Attributes& attributes = {}, const std::vector<int32_t>& symbols = {});
  std::vector<graph::ValueId> Ops(const std::string& op, const std::vector<graph::ValueId>& inputs,
                                  const std::vector<Shape>& shapes, const Attributes& attributes = {});
  void Output(graph::ValueId id) { graph_.outputs().push_back(id); }
  void SetType(graph::ValueId id, DType type) { graph_.value(id).type = type; }

  graph::Graph& graph() { return graph_; }
  const graph::Node& last() const { return graph_.nodes().back(); }

 private:
  void SetSymbols(graph::ValueId id, const std::vector<int32_t>& symbols);

  graph::Graph graph_;
};

}  // namespace tessera::shard::testing
