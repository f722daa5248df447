#include "tessera/base/distance.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "tessera/base/element.h"

namespace tessera {
namespace {

double Distance(double got, double wanted) {
  if (got == wanted || (std::isnan(got) && std::isnan(wanted))) return 0;
  const double distance = std::abs(got - wanted);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

}  // namespace

Result<double> LargestDistance(DType type, Bytes got, Bytes wanted) {
  TRY_ASSIGN(const ElementAccess access, AccessOf(type));
  if (got.size() != wanted.size() || got.size() % access.bytes != 0) {
    return Fail(Code::kInvalidArgument, "{} bytes of {} against {}", got.size(), DTypeName(type),
                wanted.size());
  }
  double largest = 0;
  for (size_t at = 0; at < got.size(); at += access.bytes)
    largest = std::max(largest, Distance(access.read(&got[at]), access.read(&wanted[at])));
  return largest;
}

Result<double> Magnitude(DType type, Bytes values) {
  TRY_ASSIGN(const ElementAccess access, AccessOf(type));
  double largest = 0;
  for (size_t at = 0; at + access.bytes <= values.size(); at += access.bytes) {
    const double value = std::abs(access.read(&values[at]));
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  return largest > 0 ? largest : 1;
}

}  // namespace tessera
