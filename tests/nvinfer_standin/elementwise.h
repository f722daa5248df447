// Elementwise work for other operators to be made of.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

Result<void> EmitUnary(Builder& builder, Unary op, const Tensor& in, const Tensor& out);
// `out` has the broadcast shape; its type is the operands', or bool for a comparison.
Result<void> EmitBinary(Builder& builder, Binary op, const Tensor& a, const Tensor& b, const Tensor& out);

// `yes` where `condition` is true, else `no`; `out` has the broadcast shape and may be one of them.
Result<void> EmitWhere(Builder& builder, const Tensor& condition, const Tensor& yes, const Tensor& no,
                       const Tensor& out);

}  // namespace tessera::standin
