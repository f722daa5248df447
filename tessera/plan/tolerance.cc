#include "tessera/plan/tolerance.h"

namespace tessera::plan {
namespace {

constexpr double kSingle = 1e-4;
constexpr double kHalf = 5e-3;
constexpr double kBFloat16 = 4e-2;
constexpr double kQuantized = 5e-2;

}  // namespace

double Tolerance(DType type, const Arithmetic& arithmetic) {
  if (!IsFloat(type)) return 0;
  double tolerance = kSingle;
  if (arithmetic.tf32 || arithmetic.half || type == DType::kFloat16) tolerance = kHalf;
  if (arithmetic.bfloat16 || type == DType::kBFloat16) tolerance = kBFloat16;
  if (arithmetic.quantized || BitsOf(type) <= 8) tolerance = kQuantized;
  return tolerance;
}

double UsualTolerance(DType type) {
  return Tolerance(type, {.tf32 = true});
}

}  // namespace tessera::plan
