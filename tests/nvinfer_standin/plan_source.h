// Where an engine's plan comes from: the caller's memory, or what reads it for us.
#pragma once

#include <NvInferRuntime.h>

#include <memory>
#include <string>
#include <string_view>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::standin {

// Used by one thread, whose current device does not change.
class PlanSource {
 public:
  virtual ~PlanSource() = default;
  // All before the first NUL, or before the end.
  virtual Result<std::string> Text() = 0;
  // Brings these bytes of the plan to memory of the current device; they are there after Finish.
  virtual Result<void> Copy(uint64_t offset, MutableBytes to) = 0;
  virtual Result<void> Finish() = 0;
};

std::unique_ptr<PlanSource> FromMemory(std::string_view plan);
std::unique_ptr<PlanSource> FromReader(nvinfer1::IStreamReaderV2& reader);

}  // namespace tessera::standin
