#include "tessera/triton/log.h"

#include <string>

#include "tessera/base/log.h"
#include "tessera/triton/error.h"

namespace tessera::triton {
namespace {

TRITONSERVER_LogLevel ToTritonLevel(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return TRITONSERVER_LOG_VERBOSE;
    case LogLevel::kInfo:
      return TRITONSERVER_LOG_INFO;
    case LogLevel::kWarning:
      return TRITONSERVER_LOG_WARN;
    case LogLevel::kError:
      return TRITONSERVER_LOG_ERROR;
  }
  return TRITONSERVER_LOG_ERROR;
}

}  // namespace

void UseServerLog() {
  SetLogSink([](LogLevel level, const char* file, int line, std::string_view message) {
    // A log that cannot be written has nobody left to be told.
    Discard(TRITONSERVER_LogMessage(ToTritonLevel(level), file, line, std::string(message).c_str()));
  });
  FollowServerVerbosity();
}

void FollowServerVerbosity() {
  SetLogLevel(TRITONSERVER_LogIsEnabled(TRITONSERVER_LOG_VERBOSE) ? LogLevel::kDebug : LogLevel::kInfo);
}

void LeaveServerLog() {
  SetLogSink({});
}

}  // namespace tessera::triton
