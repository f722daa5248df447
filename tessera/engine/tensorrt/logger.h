// TensorRT's messages, in our log and in our errors.
#pragma once

#include <NvInferRuntime.h>

#include <string>
#include <string_view>

namespace tessera::engine {

// One for the process, for good: as long as there is any runtime TensorRT keeps the logger of the first one
// for what belongs to none (plugins), and warns of every other: tried with TensorRT-RTX 1.7. Thread-safe.
class TensorRtLogger final : public nvinfer1::ILogger {
 public:
  static TensorRtLogger& OfProcess();
  void log(Severity severity, const char* message) noexcept override;

  // What was wrong in this thread's calls since it asked last: the first message, mostly the cause, and the
  // last one; "no reason given" if there was none. TensorRT's calls only return false. What it says on
  // threads of its own stands in the log only.
  static std::string TakeErrors();

  // Whom this thread's calls are made for, from here on: "rank 1", for the log.
  static void NameThread(std::string_view name);

 private:
  TensorRtLogger() = default;
};

}  // namespace tessera::engine
