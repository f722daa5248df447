#include "tessera/engine/openvino/guard.h"

namespace tessera::engine::openvino {
namespace {

// Lines that say where in OpenVINO's source an error was noticed, not what it is.
bool IsSourcePlace(std::string_view line) {
  return line.starts_with("Exception from src/") ||
         (line.starts_with("Check '") && line.find("' failed at ") != std::string_view::npos);
}

std::string_view Trimmed(std::string_view line) {
  const size_t first = line.find_first_not_of(" \t\r:");
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(" \t\r:") - first + 1);
}

}  // namespace

std::string OneLine(std::string_view what) {
  std::string text;
  std::string places;  // said only when there is nothing else
  while (!what.empty()) {
    const size_t end = what.find('\n');
    const std::string_view line = Trimmed(what.substr(0, end));
    what = end == std::string_view::npos ? std::string_view{} : what.substr(end + 1);
    if (line.empty()) continue;
    std::string& into = IsSourcePlace(line) ? places : text;
    if (!into.empty()) into += "; ";
    into += line;
  }
  return text.empty() ? places : text;
}

}  // namespace tessera::engine::openvino
