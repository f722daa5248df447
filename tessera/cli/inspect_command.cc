#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/commands.h"
#include "tessera/cli/inspect.h"
#include "tessera/cli/model_directory.h"

namespace tessera::cli {
namespace {

constexpr const char* kInspectAbout =
    "Shows what a sharded model is made of: its ranks and what each holds, the collectives of a step, how "
    "inputs reach "
    "the ranks and outputs leave them, and the predicted cost. Reads plan.json only; nothing is loaded.";
constexpr const char* kInspectExample = "Example:\n  tessera inspect repo/minilm";

struct InspectOptions {
  std::string model;
  bool json = false;
};

Result<int> Inspect(const InspectOptions& options) {
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

void AddInspectCommand(Program& program) {
  auto options = std::make_shared<InspectOptions>();
  Command command =
      program.Add("inspect", kInspectAbout, kInspectExample, [options] { return Inspect(*options); });
  command.Add("MODEL", options->model, "The model's directory, REPO/NAME (or one version of it)").Required();
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
