#include "tessera/engine/tensorrt/logger.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tessera/base/log.h"

namespace tessera::engine {
namespace {

// Has no destructor: a thread, and the process, may end before the last message.
template <size_t kSize>
class Text {
 public:
  void Set(std::string_view text) noexcept {
    size_ = std::min(text.size(), kSize);
    std::copy_n(text.begin(), size_, text_.begin());
  }
  std::string_view get() const noexcept { return {text_.data(), size_}; }

 private:
  std::array<char, kSize> text_{};
  size_t size_ = 0;
};

struct OfThread {
  Text<32> name;
  Text<1024> first_error;
  Text<1024> last_error;
};

thread_local OfThread this_thread;

}  // namespace

TensorRtLogger& TensorRtLogger::OfProcess() {
  static auto* const logger = new TensorRtLogger;
  return *logger;
}

void TensorRtLogger::NameThread(std::string_view name) {
  this_thread.name.Set(fmt::format(", {}", name));
}

void TensorRtLogger::log(Severity severity, const char* message) noexcept {
  const std::string_view whose = this_thread.name.get();
  switch (severity) {
    case Severity::kINTERNAL_ERROR:
    case Severity::kERROR:
      TESSERA_LOG(kError, "TensorRT{}: {}", whose, message);
      if (this_thread.first_error.get().empty()) this_thread.first_error.Set(message);
      this_thread.last_error.Set(message);
      break;
    case Severity::kWARNING:
      TESSERA_LOG(kWarning, "TensorRT{}: {}", whose, message);
      break;
    case Severity::kINFO:
    case Severity::kVERBOSE:
      TESSERA_LOG(kDebug, "TensorRT{}: {}", whose, message);
      break;
  }
}

std::string TensorRtLogger::TakeErrors() {
  const std::string first(this_thread.first_error.get());
  const std::string last(this_thread.last_error.get());
  this_thread.first_error.Set({});
  this_thread.last_error.Set({});
  if (first.empty()) return "no reason given";
  return first == last ? first : first + "; " + last;
}

}  // namespace tessera::engine
