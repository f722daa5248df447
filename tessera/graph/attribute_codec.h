// AttributeProto to Attribute and back.
#pragma once

#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"
#include "tessera/graph/tensor_reader.h"

namespace tessera::graph {

// All but `captured` (the values' numbers), which the caller knows how to find from captured_names. Takes the
// content of `proto`. Names that its subgraphs define are appended to `inner_names`.
Result<Attribute> ReadAttribute(pb::AttributeProto& proto, TensorReader& tensors,
                                std::vector<std::string>& inner_names);

// Errors: kInternal (an attribute of kind kOther that was not made by ReadAttribute).
Result<pb::AttributeProto> WriteAttribute(const Attribute& attribute, const Graph& graph);

}  // namespace tessera::graph
