#include "tessera/cli/compare.h"

#include "tessera/base/distance.h"

namespace tessera::cli {
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
  Difference difference;
  TRY_ASSIGN(difference.max_abs, LargestDistance(wanted.spec.type, got.bytes, wanted.bytes));
  TRY_ASSIGN(const double magnitude, Magnitude(wanted.spec.type, wanted.bytes));
  difference.max_rel = difference.max_abs / magnitude;
  return difference;
}

bool WithinTolerance(const Difference& difference, DType type, double tolerance) {
  return IsFloat(type) ? difference.max_rel <= tolerance : difference.max_abs == 0;
}

}  // namespace tessera::cli
