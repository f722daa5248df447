// Libraries with TensorRT plugins.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"

namespace tessera::engine {

// Opens `files`, whose plugins register themselves or by initLibNvInferPlugins, and TensorRT's own library of
// plugins where there is one. Stays loaded for good; again is no work. Once TensorRT's library is open,
// before an engine is deserialised. Thread-safe. What plugins say goes to the log. Errors: kUnavailable (the
// loader's own text), kInternal.
Result<void> LoadPlugins(const std::vector<std::string>& files);

}  // namespace tessera::engine
