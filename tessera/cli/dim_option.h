// The option --dim NAME=SIZE.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::cli {

// Sizes by name. Errors: kInvalidArgument (not NAME=SIZE, or a size that is not positive).
Result<std::map<std::string, int64_t>> ParseDims(const std::vector<std::string>& texts);

}  // namespace tessera::cli
