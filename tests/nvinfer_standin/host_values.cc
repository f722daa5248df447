#include "tests/nvinfer_standin/host_values.h"

#include <algorithm>
#include <cmath>

namespace tessera::standin {
namespace {

int64_t OnHost(Binary op, int64_t a, int64_t b) {
  switch (op) {
    case Binary::kAdd:
      return a + b;
    case Binary::kSub:
      return a - b;
    case Binary::kMul:
      return a * b;
    case Binary::kDiv:
      return b == 0 ? 0 : a / b;
    case Binary::kPow:
      return static_cast<int64_t>(std::llround(std::pow(static_cast<double>(a), static_cast<double>(b))));
    case Binary::kMax:
      return std::max(a, b);
    case Binary::kMin:
      return std::min(a, b);
    case Binary::kMod:
      return b == 0 ? 0 : ((a % b) + b) % b;
    case Binary::kAnd:
      return a != 0 && b != 0;
    case Binary::kOr:
      return a != 0 || b != 0;
    case Binary::kXor:
      return (a != 0) != (b != 0);
    case Binary::kEqual:
      return a == b;
    case Binary::kLess:
      return a < b;
    case Binary::kLessOrEqual:
      return a <= b;
    case Binary::kGreater:
      return a > b;
    case Binary::kGreaterOrEqual:
      return a >= b;
  }
  return 0;
}

int64_t Element(const Tensor& tensor, int64_t at) {
  return (*tensor.host)[static_cast<size_t>(at)];
}

}  // namespace

std::vector<int64_t> BinaryOnHost(Binary op, const Tensor& a, const Tensor& b, const Shape& result) {
  std::vector<int64_t> values;
  ForEachPlace(result, {BroadcastStrides(a.shape, result), BroadcastStrides(b.shape, result)},
               [&](const auto& at) { values.push_back(OnHost(op, Element(a, at[0]), Element(b, at[1]))); });
  return values;
}

std::vector<int64_t> WhereOnHost(const Tensor& condition, const Tensor& yes, const Tensor& no,
                                 const Shape& result) {
  std::vector<int64_t> values;
  ForEachPlace(result,
               {BroadcastStrides(condition.shape, result), BroadcastStrides(yes.shape, result),
                BroadcastStrides(no.shape, result)},
               [&](const auto& at) {
                 values.push_back(Element(condition, at[0]) != 0 ? Element(yes, at[1]) : Element(no, at[2]));
               });
  return values;
}

std::optional<int64_t> UnaryOnHost(Unary op, int64_t value) {
  switch (op) {
    case Unary::kNot:
      return value == 0 ? 1 : 0;
    case Unary::kNeg:
      return -value;
    case Unary::kAbs:
      return std::abs(value);
    default:
      return std::nullopt;
  }
}

}  // namespace tessera::standin
