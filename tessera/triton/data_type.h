// Element types between the model, requests and config.pbtxt.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tessera/base/types.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton {

// TRITONSERVER_TYPE_INVALID for a type that Triton has not.
TRITONSERVER_DataType ToTritonType(DType type);
DType FromTritonType(TRITONSERVER_DataType type);

// "TYPE_FP32" <-> kFloat32; the configuration says "TYPE_STRING" where requests say BYTES.
std::string ConfigTypeName(DType type);
std::optional<DType> FromConfigTypeName(std::string_view name);

// What tensors of a served model may hold: all that Triton has, but for strings.
bool IsServed(DType type);

}  // namespace tessera::triton
