#include "tessera/build/tensorrt/messages.h"

#include <fmt/core.h>

#include <cctype>
#include <sstream>
#include <string_view>
#include <utility>

namespace tessera::build {
namespace {

// The builder writes it at the end of a build, at the level of verbose messages.
constexpr std::string_view kLayersTitle = "Layers:";

// What TensorRT says, as an error, of a kernel that it tries and does without: one that wants more memory
// than there is, mostly. The build goes on and may well succeed.
constexpr std::string_view kPassedOver = "Skipping tactic";

}  // namespace

void Messages::log(Severity severity, const char* message) noexcept {
  if (verbose_) fmt::print(stderr, "{}\n", message);
  MutexLock lock(mutex_);
  if (severity <= Severity::kERROR) {
    if (std::string_view(message).find(kPassedOver) != std::string_view::npos) return;
    last_error_ = message;
    if (first_error_.empty()) first_error_ = message;
  } else if (std::string_view(message).starts_with(kLayersTitle)) {
    layers_ = message;
  }
}

std::string Messages::TakeErrors() {
  MutexLock lock(mutex_);
  const std::string first = OneLine(std::exchange(first_error_, ""));
  const std::string last = OneLine(std::exchange(last_error_, ""));
  if (first.empty()) return "no reason given";
  return first == last ? first : fmt::format("{}; {}", first, last);
}

bool Messages::layers_listed() {
  MutexLock lock(mutex_);
  return !layers_.empty();
}

std::vector<plan::EngineCollective> Messages::Collectives() {
  MutexLock lock(mutex_);
  std::vector<plan::EngineCollective> found;
  std::istringstream lines(layers_);
  for (std::string line; std::getline(lines, line);) {
    if (auto collective = plan::CollectiveOfLayer(line)) found.push_back(std::move(*collective));
  }
  return found;
}

std::string OneLine(std::string_view text) {
  std::string line;
  for (const char c : text) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) {
      line += c;
    } else if (!line.empty() && line.back() != ' ') {
      line += ' ';
    }
  }
  if (line.ends_with(' ')) line.pop_back();
  return line;
}

}  // namespace tessera::build
