// The option --profile NAME=MIN:OPT:MAX,..
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/build/profiles.h"

namespace tessera::cli {

// "batch=1:8:64,sequence=128": sizes by dimension; one number stands for all three.
// Errors: kInvalidArgument (not of this form, a size below 1, not MIN <= OPT <= MAX, a name twice).
Result<build::SizesByDim> ParseProfile(const std::string& text);

}  // namespace tessera::cli
