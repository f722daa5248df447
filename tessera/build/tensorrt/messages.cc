#include "tessera/build/tensorrt/messages.h"

#include <fmt/core.h>

#include <cctype>
#include <sstream>
#include <string_view>

namespace tessera::build {
namespace {

// The builder writes it at the end of a build, at the level of verbose messages.
constexpr std::string_view kLayersTitle = "Layers:";

}  // namespace

void Messages::log(Severity severity, const char* message) noexcept {
  if (verbose_) fmt::print(stderr, "{}\n", message);
  MutexLock lock(mutex_);
  if (severity <= Severity::kERROR) {
    if (first_error_.empty()) first_error_ = message;
  } else if (std::string_view(message).starts_with(kLayersTitle)) {
    layers_ = message;
  }
}

std::string Messages::FirstError() {
  MutexLock lock(mutex_);
  return first_error_.empty() ? "no reason given" : OneLine(first_error_);
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
