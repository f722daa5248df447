// A progress bar on stderr, drawn only where a person sees it.
#pragma once

#include <string>
#include <string_view>

namespace tessera::cli {

// One line on the terminal that is redrawn; nothing at all when stderr is not a terminal. The line is wiped
// when the bar goes, so an error or a summary starts on a clean line.
class ProgressBar {
 public:
  explicit ProgressBar(bool wanted = true);  // `wanted` = false: never draws
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  // Takes the line away, before something else is printed.
  void Wipe();

  // What is being done and the fraction of the whole that is, 0 .. 1.
  void Show(std::string_view stage, double fraction);

 private:
  bool enabled_;
  std::string drawn_;
};

// The line as drawn: "searching   [##########----------]  50 %".
std::string ProgressLine(std::string_view stage, double fraction);

}  // namespace tessera::cli
