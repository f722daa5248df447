// Integers that are known while a program is built (shapes, and what models compute from them), computed
// then.
#pragma once

#include "tests/nvinfer_standin/tensor.h"

namespace tessera::standin {

// Calls `visit(offsets)` for every place of `result`, with each operand's element offset there.
template <class Visit>
void ForEachPlace(const Shape& result, const std::vector<std::vector<int64_t>>& strides, Visit visit) {
  std::vector<int64_t> index(result.size(), 0);
  std::vector<int64_t> at(strides.size(), 0);
  for (int64_t i = 0; i < ElementCount(result); ++i) {
    visit(at);
    for (size_t d = result.size(); d-- > 0;) {
      ++index[d];
      for (size_t k = 0; k < at.size(); ++k) at[k] += strides[k][d];
      if (index[d] < result[d]) break;
      for (size_t k = 0; k < at.size(); ++k) at[k] -= strides[k][d] * result[d];
      index[d] = 0;
    }
  }
}

// Of tensors whose `host` is set; `result` is their broadcast shape.
std::vector<int64_t> BinaryOnHost(Binary op, const Tensor& a, const Tensor& b, const Shape& result);
std::vector<int64_t> WhereOnHost(const Tensor& condition, const Tensor& yes, const Tensor& no,
                                 const Shape& result);

// nullopt: nobody computes shapes with this.
std::optional<int64_t> UnaryOnHost(Unary op, int64_t value);

}  // namespace tessera::standin
