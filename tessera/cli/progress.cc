#include "tessera/cli/progress.h"

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <unistd.h>

namespace tessera::cli {

std::string ProgressLine(std::string_view stage, double fraction) {
  constexpr int kWidth = 30;
  const double part = std::clamp(fraction, 0.0, 1.0);
  const int filled = static_cast<int>(part * kWidth);
  return fmt::format("{:<24} [{:#<{}}{:-<{}}] {:3.0f} %", stage, "", filled, "", kWidth - filled, 100 * part);
}

ProgressBar::ProgressBar(bool wanted) : enabled_(wanted && isatty(STDERR_FILENO) == 1) {}

ProgressBar::~ProgressBar() {
  Wipe();
}

void ProgressBar::Wipe() {
  if (!drawn_.empty()) std::fputs("\r\033[K", stderr);
  drawn_.clear();
}

void ProgressBar::Show(std::string_view stage, double fraction) {
  if (!enabled_) return;
  std::string line = ProgressLine(stage, fraction);
  if (line == drawn_) return;
  drawn_ = std::move(line);
  std::fputs(("\r\033[K" + drawn_).c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace tessera::cli
