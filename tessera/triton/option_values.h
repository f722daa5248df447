// Values that configurations write as text.
#pragma once

#include <string>

#include "tessera/base/result.h"

namespace tessera::triton {

// What `text`, the value of option `name`, says. Errors: kInvalidArgument naming both.
Result<int64_t> PositiveNumber(const std::string& name, const std::string& text);
Result<bool> Truth(const std::string& name, const std::string& text);  // true, false, 1 or 0, in any case

}  // namespace tessera::triton
