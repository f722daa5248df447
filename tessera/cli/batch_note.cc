#include "tessera/cli/batch_note.h"

#include <algorithm>
#include <optional>
#include <regex>

#include <fmt/format.h>

#include "tessera/base/file.h"

namespace tessera::cli {
namespace {

// Of all inputs whose first dimension is free; nullopt: there is none.
std::optional<int64_t> RowsOf(const plan::Profile& profile, const plan::Plan& plan) {
  std::optional<int64_t> rows;
  for (const plan::InputRange& range : profile) {
    const auto input = std::find_if(plan.inputs.begin(), plan.inputs.end(),
                                    [&](const auto& tensor) { return tensor.spec.name == range.input; });
    const bool free =
        input != plan.inputs.end() && !input->spec.shape.empty() && input->spec.shape.front() == kDynamic;
    if (free) rows = std::min(rows.value_or(range.most.front()), range.most.front());
  }
  return rows;
}

std::optional<int64_t> MaxRows(const plan::Plan& plan) {
  std::optional<int64_t> most;
  for (const plan::Profile& profile : plan.build->profiles) {
    const std::optional<int64_t> rows = RowsOf(profile, plan);
    if (rows) most = std::max(most.value_or(*rows), *rows);
  }
  return most;
}

// 0: not batched, or the file does not tell.
int64_t MaxBatchSize(const std::filesystem::path& config) {
  static const std::regex kField(R"((?:^|\n)[ \t]*max_batch_size[ \t]*:[ \t]*(\d{1,18}))");
  const Result<std::string> text = ReadFile(config);
  std::smatch found;
  if (!text || !std::regex_search(*text, found, kField)) return 0;
  return std::stoll(found[1].str());
}

}  // namespace

std::string BatchNote(const plan::Plan& plan, const std::filesystem::path& version) {
  const std::filesystem::path config = std::filesystem::absolute(version).parent_path() / "config.pbtxt";
  const int64_t allowed = MaxBatchSize(config);
  const std::optional<int64_t> rows = plan.build ? MaxRows(plan) : std::nullopt;
  if (allowed == 0 || !rows || allowed == *rows) return "";
  const std::string both =
      fmt::format("config.pbtxt has max_batch_size {}, the engines take up to {} rows: ", allowed, *rows);
  if (allowed > *rows)
    return both + "a server refuses the model; lower the one or build with a larger --profile";
  return both + "a server refuses requests of more until it is raised";
}

}  // namespace tessera::cli
