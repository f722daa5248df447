// Models for the tests of this module, made with the schema's own classes.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"

namespace tessera::graph::testing {

// x [batch, 4] -> MatMul with w [4, 3] -> h -> Relu -> y. Valid; tests change it.
pb::ModelProto SmallModel();

pb::NodeProto MakeNode(const std::string& op_type, std::initializer_list<std::string> inputs,
                       std::initializer_list<std::string> outputs);

// A float tensor of these dimensions, all zero, with raw data.
pb::TensorProto MakeTensor(const std::string& name, std::initializer_list<int64_t> dims);

// Dimensions as numbers or names.
pb::ValueInfoProto MakeValue(const std::string& name, std::initializer_list<std::string> dims,
                             int32_t type = pb::TensorProto::FLOAT);

// Parses `model`; external data would lie in `directory`.
Result<Graph> Parse(const pb::ModelProto& model, const std::string& directory = "/nowhere");
Result<Graph> ParseText(const std::string& model, const std::string& directory = "/nowhere");

// The value of that name, which the graph has.
inline const Value& ValueOf(const Graph& graph, std::string_view name) {
  return graph.value(*graph.FindValue(name));
}

// Writes `graph` and decodes what was written; fails the test if that is not possible.
pb::ModelProto Written(const Graph& graph);

// Attributes with these contents.
pb::AttributeProto IntAttribute(const std::string& name, int64_t value);
pb::AttributeProto GraphAttribute(const std::string& name, pb::GraphProto graph);

}  // namespace tessera::graph::testing
