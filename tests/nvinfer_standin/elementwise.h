// Elementwise work for other operators to be made of.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

Result<void> EmitUnary(Builder& builder, Unary op, const Tensor& in, const Tensor& out);
// `out` has the broadcast shape; its type is the operands', or bool for a comparison.
Result<void> EmitBinary(Builder& builder, Binary op, const Tensor& a, const Tensor& b, const Tensor& out);

}  // namespace tessera::standin
