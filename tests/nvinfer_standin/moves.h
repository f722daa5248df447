// Data movement for other operators to be made of.
#pragma once

#include "tests/nvinfer_standin/program.h"

namespace tessera::standin {

// out[place] = in[place . in_strides + in_offset], places of `sizes`, written at place . out_strides +
// out_offset; all in elements.
struct Move {
  std::vector<int64_t> sizes;
  std::vector<int64_t> in_strides;
  std::vector<int64_t> out_strides;
  int64_t in_offset = 0;
  int64_t out_offset = 0;
};
// Values known on the host are moved there too, when `out` is host-known as well (its `host` has room).
Result<void> EmitMove(Builder& builder, const Tensor& in, Tensor& out, const Move& move);

Result<Tensor> EmitTranspose(Builder& builder, const Tensor& in, const std::vector<int64_t>& permutation);

}  // namespace tessera::standin
