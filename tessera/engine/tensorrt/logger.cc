#include "tessera/engine/tensorrt/logger.h"

#include <utility>

#include "tessera/base/log.h"

namespace tessera::engine {
namespace {

struct OfThread {
  std::string name;
  std::string first_error;
  std::string last_error;
};

OfThread& ThisThread() {
  thread_local OfThread state;
  return state;
}

}  // namespace

TensorRtLogger& TensorRtLogger::OfProcess() {
  static auto* const logger = new TensorRtLogger;
  return *logger;
}

void TensorRtLogger::NameThread(std::string name) {
  ThisThread().name = ", " + std::move(name);
}

void TensorRtLogger::log(Severity severity, const char* message) noexcept {
  OfThread& thread = ThisThread();
  switch (severity) {
    case Severity::kINTERNAL_ERROR:
    case Severity::kERROR:
      TESSERA_LOG(kError, "TensorRT{}: {}", thread.name, message);
      if (thread.first_error.empty()) thread.first_error = message;
      thread.last_error = message;
      break;
    case Severity::kWARNING:
      TESSERA_LOG(kWarning, "TensorRT{}: {}", thread.name, message);
      break;
    case Severity::kINFO:
    case Severity::kVERBOSE:
      TESSERA_LOG(kDebug, "TensorRT{}: {}", thread.name, message);
      break;
  }
}

std::string TensorRtLogger::TakeErrors() {
  OfThread& thread = ThisThread();
  std::string first = std::exchange(thread.first_error, {});
  const std::string last = std::exchange(thread.last_error, {});
  if (first.empty()) return "no reason given";
  return first == last ? first : first + "; " + last;
}

}  // namespace tessera::engine
