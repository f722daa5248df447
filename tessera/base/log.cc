#include "tessera/base/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_color_sinks.h>

#include <atomic>
#include <memory>

#include "tessera/base/mutex.h"

namespace tessera {
namespace {

spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kInfo:
      return spdlog::level::info;
    case LogLevel::kWarning:
      return spdlog::level::warn;
    case LogLevel::kError:
      return spdlog::level::err;
  }
  return spdlog::level::err;
}

// A logger of our own: spdlog's registry is shared with whoever else lives in the process.
LogSink StderrSink() {
  auto logger =
      std::make_shared<spdlog::logger>("tessera", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_level(spdlog::level::debug);
  logger->set_pattern("%H:%M:%S.%e %^%L%$ %v");
  return [logger](LogLevel level, const char*, int, std::string_view message) {
    logger->log(ToSpdlog(level), spdlog::string_view_t(message.data(), message.size()));
  };
}

class Log {
 public:
  // Never destroyed: threads may log while the process ends.
  static Log& Get() {
    static Log& log = *new Log;
    return log;
  }

  void Set(LogSink sink) EXCLUDES(mutex_) {
    auto next = std::make_shared<const LogSink>(sink ? std::move(sink) : StderrSink());
    MutexLock lock(mutex_);
    sink_.swap(next);
  }

  // The caller's copy keeps the sink alive while it is used: a sink may log or be replaced meanwhile.
  std::shared_ptr<const LogSink> sink() EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return sink_;
  }

  std::atomic<LogLevel> least{LogLevel::kInfo};

 private:
  Mutex mutex_;
  std::shared_ptr<const LogSink> sink_ GUARDED_BY(mutex_) = std::make_shared<const LogSink>(StderrSink());
};

}  // namespace

void SetLogSink(LogSink sink) {
  Log::Get().Set(std::move(sink));
}

void SetLogLevel(LogLevel least) {
  Log::Get().least.store(least, std::memory_order_relaxed);
}

bool LogEnabled(LogLevel level) {
  return level >= Log::Get().least.load(std::memory_order_relaxed);
}

void LogMessage(LogLevel level, const char* file, int line, std::string_view message) {
  (*Log::Get().sink())(level, file, line, message);
}

}  // namespace tessera
