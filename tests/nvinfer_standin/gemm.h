// Matrix products by cuBLASLt.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

// out[b] = alpha * op(a[b]) op(b[b]) + beta * c[b], row-major: a is [m,k] ([k,m] if transposed), b [k,n]
// ([n,k]), and out [m,n], `batch` times, `stride_a` elements apart (0: the same matrix each time).
struct Gemm {
  DType type = DType::kFloat32;
  int64_t m = 0, n = 0, k = 0;
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t batch = 1;
  int64_t stride_a = 0, stride_b = 0;
  float alpha = 1;
  bool accumulate = false;  // out += instead of out =
  bool relu = false;        // of what would be in out otherwise
};

// Adds the product; the algorithm is looked up here, not when it is launched.
Result<void> EmitGemm(Builder& builder, const Gemm& gemm, const void* a, const void* b, void* out);

}  // namespace tessera::standin
