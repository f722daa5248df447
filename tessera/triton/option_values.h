// Values that configurations write as text.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::triton {

// What `text`, the value of option `name`, says. Errors: kInvalidArgument naming both.
Result<int64_t> PositiveNumber(const std::string& name, const std::string& text);
Result<bool> Truth(const std::string& name, const std::string& text);  // true, false, 1 or 0, in any case
// 0,1 with blanks and empty places as in "0, 1,", which NVIDIA's backend takes; at least one GPU.
Result<std::vector<DeviceId>> GpuList(const std::string& name, const std::string& text);

// What stands between semicolons, without what is empty.
std::vector<std::string> SplitList(const std::string& list);

}  // namespace tessera::triton
