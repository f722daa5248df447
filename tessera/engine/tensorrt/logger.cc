#include "tessera/engine/tensorrt/logger.h"

#include <utility>

#include "tessera/base/log.h"

namespace tessera::engine {

void TensorRtLogger::log(Severity severity, const char* message) noexcept {
  switch (severity) {
    case Severity::kINTERNAL_ERROR:
    case Severity::kERROR: {
      TESSERA_LOG(kError, "TensorRT, {}: {}", prefix_, message);
      MutexLock lock(mutex_);
      last_error_ = message;
      break;
    }
    case Severity::kWARNING:
      TESSERA_LOG(kWarning, "TensorRT, {}: {}", prefix_, message);
      break;
    case Severity::kINFO:
    case Severity::kVERBOSE:
      TESSERA_LOG(kDebug, "TensorRT, {}: {}", prefix_, message);
      break;
  }
}

std::string TensorRtLogger::TakeLastError() {
  MutexLock lock(mutex_);
  std::string taken = std::exchange(last_error_, {});
  return taken.empty() ? "no reason given" : taken;
}

}  // namespace tessera::engine
