#include "tessera/cli/compare.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tessera::cli {
namespace {

double Distance(double got, double wanted) {
  if (got == wanted || (std::isnan(got) && std::isnan(wanted))) return 0;
  const double distance = std::abs(got - wanted);
  return std::isfinite(distance) ? distance : std::numeric_limits<double>::infinity();
}

}  // namespace

Result<Difference> Compare(const HostTensor& got, const HostTensor& wanted) {
  const std::string& name = wanted.spec.name;
  if (got.spec.type != wanted.spec.type) {
    return Fail(Code::kInvalidArgument, "output '{}' is {}, the unsharded model gives {}", name,
                DTypeName(got.spec.type), DTypeName(wanted.spec.type));
  }
  if (got.spec.shape != wanted.spec.shape) {
    return Fail(Code::kInvalidArgument, "output '{}' is {}, the unsharded model gives {}", name,
                ToString(got.spec.shape), ToString(wanted.spec.shape));
  }
  TRY_ASSIGN(const ElementAccess access, AccessOf(wanted.spec.type));
  Difference difference;
  double scale = 0;
  for (size_t i = 0; i < wanted.count(); ++i) {
    const double reference = access.read(&wanted.bytes[i * access.bytes]);
    difference.max_abs =
        std::max(difference.max_abs, Distance(access.read(&got.bytes[i * access.bytes]), reference));
    if (std::isfinite(reference)) scale = std::max(scale, std::abs(reference));
  }
  difference.max_rel = difference.max_abs / (scale > 0 ? scale : 1);
  return difference;
}

bool WithinTolerance(const Difference& difference, DType type, double tolerance) {
  return IsFloat(type) ? difference.max_rel <= tolerance : difference.max_abs == 0;
}

}  // namespace tessera::cli
