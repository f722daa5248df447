#include "tessera/shard/testing/graph_builder.h"

#include <fmt/format.h>

#include <cmath>
#include <cstring>

namespace tessera::shard::testing {

using graph::ValueId;

GraphBuilder::GraphBuilder(int64_t opset) {
  graph_.name = "test";
  graph_.ir_version = 10;
  graph_.opsets[""] = opset;
}

void GraphBuilder::SetSymbols(ValueId id, const std::vector<int32_t>& symbols) {
  graph::Value& value = graph_.value(id);
  value.has_shape = true;
  value.symbols.assign(value.shape.size(), -1);
  size_t next = 0;
  for (size_t d = 0; d < value.shape.size() && next < symbols.size(); ++d) {
    if (value.shape[d] == kDynamic) value.symbols[d] = symbols[next++];
  }
  for (const int32_t s : symbols) {
    while (s >= static_cast<int32_t>(graph_.symbol_names.size()))
      graph_.symbol_names.push_back(fmt::format("s{}", graph_.symbol_names.size()));
  }
}

ValueId GraphBuilder::Input(const std::string& name, const Shape& shape, const std::vector<int32_t>& symbols,
                            DType type) {
  const ValueId id = graph_.AddValue(name, type, shape);
  SetSymbols(id, symbols);
  graph_.inputs().push_back(id);
  return id;
}

ValueId GraphBuilder::Weight(const std::string& name, const Shape& shape) {
  std::vector<float> values(static_cast<size_t>(ElementCount(shape)));
  for (size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(std::sin(static_cast<double>(i * 7 + name.size() * 3 + 1)));
  }
  std::vector<std::byte> bytes(values.size() * sizeof(float));
  std::memcpy(bytes.data(), values.data(), bytes.size());
  return graph_.AddConstant(name, graph::Constant::OfBytes(DType::kFloat32, shape, std::move(bytes)));
}

ValueId GraphBuilder::Ints(const std::string& name, const std::vector<int64_t>& values) {
  return graph_.AddConstant(name, graph::Constant::OfInt64(values, {static_cast<int64_t>(values.size())}));
}

ValueId GraphBuilder::Scalar(const std::string& name, int64_t value) {
  return graph_.AddConstant(name, graph::Constant::OfInt64({value}, {}));
}

ValueId GraphBuilder::Op(const std::string& op, const std::vector<ValueId>& inputs, const Shape& shape,
                         const Attributes& attributes, const std::vector<int32_t>& symbols) {
  const ValueId out = Ops(op, inputs, {shape}, attributes)[0];
  SetSymbols(out, symbols);
  return out;
}

std::vector<ValueId> GraphBuilder::Ops(const std::string& op, const std::vector<ValueId>& inputs,
                                       const std::vector<Shape>& shapes, const Attributes& attributes) {
  graph::Node node;
  node.name = fmt::format("{}_{}", op, graph_.nodes().size());
  node.op_type = op;
  node.inputs = inputs;
  for (const auto& [name, value] : attributes) {
    std::visit([&, key = name](const auto& v) { node.Set(key, v); }, value);
  }
  const DType type = inputs.empty() ? DType::kFloat32 : graph_.value(inputs[0]).type;
  for (const Shape& shape : shapes) {
    const ValueId out = graph_.AddValue(node.name, type, shape);
    SetSymbols(out, {});
    node.outputs.push_back(out);
  }
  const std::vector<ValueId> outputs = node.outputs;
  graph_.AddNode(std::move(node));
  return outputs;
}

}  // namespace tessera::shard::testing
