// DType and ONNX's numbers for it (TensorProto.DataType).
#pragma once

#include <cstdint>

#include "tessera/base/types.h"

namespace tessera::graph {

// kUndefined for 0 and for a type that this build does not know.
DType FromOnnxType(int32_t number);
int32_t ToOnnxType(DType type);

}  // namespace tessera::graph
