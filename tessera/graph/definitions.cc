#include "tessera/graph/definitions.h"

namespace tessera::graph {

Result<ValueId> Define(Graph& graph, const std::string& name, const std::string& by) {
  if (name.empty()) return Fail(Code::kInvalidArgument, "{} has no name", by);
  if (graph.FindValue(name)) {
    return Fail(Code::kInvalidArgument, "value '{}' is defined twice, the second time by {}", name, by);
  }
  const ValueId id = graph.AddValue(name, DType::kUndefined, {});
  graph.value(id).has_shape = false;
  return id;
}

Result<void> DefineConstant(Graph& graph, const std::string& name, Constant constant) {
  TRY_ASSIGN(const ValueId id, Define(graph, name, "an initializer"));
  Value& value = graph.value(id);
  value.type = constant.type;
  value.has_shape = true;
  value.shape = constant.shape;
  value.symbols.assign(value.shape.size(), -1);
  value.constant = std::make_shared<const Constant>(std::move(constant));
  return {};
}

}  // namespace tessera::graph
