// Optimisation profiles: from sizes by the names of free dimensions to the shapes that each rank takes.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "tessera/base/result.h"
#include "tessera/plan/plan.h"

namespace tessera::build {

struct SizeRange {
  int64_t least = 1;
  int64_t usual = 1;
  int64_t most = 1;
  bool operator==(const SizeRange&) const = default;
};

// By a dimension's name as plan.json has it ("batch"); one without a name is called INPUT.AXIS ("image.0").
using SizesByDim = std::map<std::string, SizeRange>;

// The profile of all inputs with free dimensions. Those that `sizes` does not name get 1:8:64 where they come
// first, else 1:128:512, rounded up to the multiple that the plan wants of them (a cut dimension: of the
// ranks). Errors: kInvalidArgument (a name that no free dimension has, or a size that is no such multiple).
Result<plan::Profile> MakeProfile(const plan::Plan& plan, const SizesByDim& sizes);

// The same as one rank takes it: the cut dimension of a split input is its part.
plan::Profile OfOneRank(const plan::Profile& profile, const plan::Plan& plan);

}  // namespace tessera::build
