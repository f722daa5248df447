#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/command.h"
#include "tessera/cli/inspect.h"
#include "tessera/cli/model_directory.h"

namespace tessera::cli {
namespace {

constexpr const char* kAbout =
    "Shows what a sharded model is made of: its ranks and what each holds, the collectives of a step, how "
    "inputs reach "
    "the ranks and outputs leave them, and the predicted cost. Reads plan.json only; nothing is loaded.";
constexpr const char* kExample = "Example:\n  tessera inspect repo/minilm";

struct Options {
  std::string model;
  bool json = false;
};

Result<int> Inspect(const Options& options) {
  TRY_ASSIGN(const std::filesystem::path version, FindVersion(options.model));
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(version));
  if (options.json) {
    fmt::print("{}\n", InspectJson(plan).dump(2));
  } else {
    fmt::print("{}", InspectText(plan));
  }
  return ToInt(ExitCode::kOk);
}

}  // namespace

Command MakeInspectCommand(CLI::App& parent) {
  auto options = std::make_shared<Options>();
  CLI::App* app = parent.add_subcommand("inspect", kAbout);
  app->footer(kExample);
  app->add_option("MODEL", options->model, "The model's directory, REPO/NAME (or one version of it)")
      ->required();
  app->add_flag("--json", options->json, "Print one JSON object instead of text");
  return {app, [options] { return Inspect(*options); }};
}

}  // namespace tessera::cli
