#include "tests/gpu/answers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "tests/gpu/models.h"

namespace tessera::gputest {
namespace {

size_t CountOf(const CaseTensor& tensor) {
  return tensor.bytes.size() * 8 / static_cast<size_t>(BitsOf(tensor.type));
}

double ValueAt(const CaseTensor& tensor, size_t index) {
  if (tensor.type == DType::kFloat16) {
    uint16_t half = 0;
    std::memcpy(&half, tensor.bytes.data() + index * sizeof(half), sizeof(half));
    return static_cast<double>(FromHalf(half));
  }
  if (tensor.type == DType::kBFloat16) {  // the upper half of an fp32
    uint16_t half = 0;
    std::memcpy(&half, tensor.bytes.data() + index * sizeof(half), sizeof(half));
    return static_cast<double>(std::bit_cast<float>(static_cast<uint32_t>(half) << 16));
  }
  float value = 0;
  std::memcpy(&value, tensor.bytes.data() + index * sizeof(value), sizeof(value));
  return static_cast<double>(value);
}

}  // namespace

Result<Region> Answers::Place(int index, DType type, const Shape& shape) {
  taken_.resize(std::max(taken_.size(), static_cast<size_t>(index) + 1));
  CaseTensor& tensor = taken_[static_cast<size_t>(index)];
  tensor.type = type;
  tensor.shape = shape;
  tensor.bytes.resize(BytesOf(type, shape).value());
  return HostRegion(MutableBytes(tensor.bytes));
}

double WorstError(const CaseTensor& got, const CaseTensor& wanted) {
  if (got.type != wanted.type && !(IsFloat(got.type) && IsFloat(wanted.type))) return INFINITY;
  if (CountOf(got) != CountOf(wanted)) return INFINITY;
  if (!IsFloat(wanted.type)) return got.bytes == wanted.bytes ? 0 : INFINITY;
  double difference = 0;
  double most = 1e-30;
  for (size_t at = 0; at < CountOf(wanted); ++at) {
    const double g = ValueAt(got, at);
    const double w = ValueAt(wanted, at);
    if (std::isnan(g) != std::isnan(w)) return INFINITY;
    if (std::isnan(w)) continue;
    difference = std::max(difference, std::fabs(g - w));
    most = std::max(most, std::fabs(w));
  }
  return difference / most;
}

}  // namespace tessera::gputest
