// Attention in one kernel, by cuDNN.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

// out[b,h,s,:] = softmax(scale * q[b,h,s,:] k[b,h,:,:]') v[b,h,:,:]; q [b,h,s,d], k [b,g,t,d], v [b,g,t,e],
// where g divides h. They may lie strided.
struct Sdpa {
  Tensor q, k, v;
  float scale = 1;
  bool causal = false;  // row i sees columns 0 .. i
};

// A matrix or a stack of them, walked the other way round.
Tensor Transposed(Tensor tensor);

// Whether EmitSdpa takes them (and a v like k): half precision, d a multiple of 8 and at most 128, rows
// dense.
bool CanFuse(const Tensor& q, const Tensor& k);

// The node's first output; it lies as [b,s,h,e], so that joining the heads moves nothing.
Result<void> EmitSdpa(Builder& builder, const Sdpa& sdpa);

}  // namespace tessera::standin
