// Libraries with TensorRT plugins.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/engine/tensorrt/library.h"

namespace tessera::engine {

// Opens `files`, whose plugins register themselves or by initLibNvInferPlugins, and TensorRT's own library of
// plugins where there is one, beside `library` or by its usual name. Stays loaded for good; again is no work.
// Before an engine is deserialised. Thread-safe. What plugins say goes to the log. Errors: kUnavailable (the
// loader's own text), kInternal.
Result<void> LoadPlugins(const TensorRtLibrary& library, const std::vector<std::string>& files);

}  // namespace tessera::engine
