// Where the time of something long went, for the log.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <string>
#include <string_view>
#include <utility>

namespace tessera::engine {

// "runtime 3.1, plan 95.0, contexts 4.2": milliseconds.
class Laps {
 public:
  // The time since the last lap, or since this was made, was that of `what`.
  void Add(std::string_view what) {
    const auto now = Clock::now();
    const std::chrono::duration<double, std::milli> time = now - std::exchange(last_, now);
    text_ += fmt::format("{}{} {:.1f}", text_.empty() ? "" : ", ", what, time.count());
  }
  const std::string& text() const { return text_; }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point last_ = Clock::now();
  std::string text_;
};

}  // namespace tessera::engine
