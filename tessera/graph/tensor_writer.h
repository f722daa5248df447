// Constant to TensorProto.
#pragma once

#include "tessera/graph/graph.h"
#include "tessera/graph/schema.h"

namespace tessera::graph {

// All but the name and the bytes. A dense constant only.
pb::TensorProto WriteTensorHead(const Constant& constant);

// With its bytes as raw_data. A dense constant only.
pb::TensorProto WriteTensor(const Constant& constant);

}  // namespace tessera::graph
