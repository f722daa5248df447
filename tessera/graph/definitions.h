// The values of a graph while it is read: each is defined once.
#pragma once

#include <string>

#include "tessera/graph/graph.h"

namespace tessera::graph {

// A new value, of which nothing but the name is known. `by` ("node 'a' (Add)") is for the message.
// Errors: kInvalidArgument (no name; defined before).
Result<ValueId> Define(Graph& graph, const std::string& name, const std::string& by);

// A new value that is `constant`. Errors: as Define.
Result<void> DefineConstant(Graph& graph, const std::string& name, Constant constant);

}  // namespace tessera::graph
