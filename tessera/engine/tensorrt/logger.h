// TensorRT's messages, in our log and in our errors.
#pragma once

#include <NvInferRuntime.h>

#include <string>

#include "tessera/base/mutex.h"

namespace tessera::engine {

// One per rank, outlives what TensorRT made with it. Thread-safe.
class TensorRtLogger final : public nvinfer1::ILogger {
 public:
  explicit TensorRtLogger(std::string prefix) : prefix_(std::move(prefix)) {}
  void log(Severity severity, const char* message) noexcept override;

  // The last error since the previous call, or "no reason given": TensorRT's calls only return false.
  std::string TakeLastError();

 private:
  const std::string prefix_;  // "rank 1"
  Mutex mutex_;
  std::string last_error_ GUARDED_BY(mutex_);
};

}  // namespace tessera::engine
