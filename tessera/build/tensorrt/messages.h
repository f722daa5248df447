// TensorRT's messages: its calls only say that they failed, and its list of an engine's layers comes only
// here.
#pragma once

#include <NvInfer.h>

#include <string>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/plan/engine_layers.h"

namespace tessera::build {

// Outlives what TensorRT made with it. Thread-safe.
class Messages final : public nvinfer1::ILogger {
 public:
  explicit Messages(bool verbose) : verbose_(verbose) {}  // true: all of them go to standard error
  void log(Severity severity, const char* message) noexcept override;

  // The first error, mostly the cause, and the last, of the call that failed, on one line; "no reason given"
  // if there is none. Those of kernels that the builder tried and passed over do not count. The next call
  // tells of what comes after.
  std::string TakeErrors();

  // The collectives in the list of layers that the builder wrote last, in its order.
  bool layers_listed();
  std::vector<plan::EngineCollective> Collectives();

 private:
  const bool verbose_;
  Mutex mutex_;
  std::string first_error_ GUARDED_BY(mutex_);
  std::string last_error_ GUARDED_BY(mutex_);
  std::string layers_ GUARDED_BY(mutex_);
};

// Runs of blanks and line ends become one blank.
std::string OneLine(std::string_view text);

}  // namespace tessera::build
