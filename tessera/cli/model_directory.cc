#include "tessera/cli/model_directory.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "tessera/plan/plan.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

bool HoldsModel(const fs::path& directory) {
  std::error_code ignored;  // a directory that cannot be read holds nothing for us
  return fs::is_regular_file(directory / plan::kPlanFile, ignored) ||
         fs::is_regular_file(directory / "model.onnx", ignored);
}

std::optional<int64_t> VersionOf(const fs::path& directory) {
  const std::string name = directory.filename().string();
  int64_t version = 0;
  auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), version);
  if (error != std::errc() || end != name.data() + name.size() || version <= 0) return std::nullopt;
  return version;
}

}  // namespace

Result<fs::path> FindVersion(const fs::path& model) {
  std::error_code error;
  if (!fs::is_directory(model, error))
    return Fail(Code::kNotFound, "no model directory '{}'", model.string());
  if (HoldsModel(model)) return model;
  int64_t newest = 0;
  fs::path found;
  for (const auto& entry : fs::directory_iterator(model, error)) {
    const auto version = VersionOf(entry.path());
    if (version && *version > newest && HoldsModel(entry.path())) {
      newest = *version;
      found = entry.path();
    }
  }
  if (!found.empty()) return found;
  return Fail(Code::kNotFound,
              "'{}' holds no model: no plan.json (nor model.onnx) in a version directory like '{}'",
              model.string(), (model / "1").string());
}

Result<void> CheckModelName(const std::string& name) {
  const bool bad =
      name.empty() || name == "." || name == ".." || name.front() == '.' ||
      std::any_of(name.begin(), name.end(), [](char c) { return c == '/' || c == '\0' || c == '\n'; });
  if (bad)
    return Fail(Code::kInvalidArgument, "'{}' cannot name a model: it becomes a directory's name", name);
  return {};
}

}  // namespace tessera::cli
