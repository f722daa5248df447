// Logging. A program writes to stderr through spdlog; the Triton backend puts its own sink here (the server's log).
#pragma once

#include <functional>
#include <string_view>

#include <fmt/core.h>

namespace tessera {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

// Where messages go; replaces the default (spdlog on stderr), which an empty sink brings back. Thread-safe: a message
// on its way ends in the old sink. The sink is called from any thread, several at a time, and must not throw.
using LogSink = std::function<void(LogLevel level, const char* file, int line, std::string_view message)>;
void SetLogSink(LogSink sink);
void SetLogLevel(LogLevel least);
bool LogEnabled(LogLevel level);
void LogMessage(LogLevel level, const char* file, int line, std::string_view message);

}  // namespace tessera

// TESSERA_LOG(kInfo, "model '{}' ready: {} ranks", name, ranks);
#define TESSERA_LOG(level, ...)                                                                     \
  do {                                                                                              \
    if (::tessera::LogEnabled(::tessera::LogLevel::level)) {                                        \
      ::tessera::LogMessage(::tessera::LogLevel::level, __FILE__, __LINE__, fmt::format(__VA_ARGS__)); \
    }                                                                                               \
  } while (false)
