#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/command.h"
#include "tessera/cli/machine.h"
#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kAbout =
    "Tells what this machine has - cores, memory, GPUs, OpenVINO, Triton, NCCL, TensorRT - what can be done "
    "with it, "
    "and what is missing for the rest. Triton is started for a moment to see that it runs. Exit code 1 when "
    "models "
    "cannot even be served on CPU ranks.";
constexpr const char* kExample = "Example:\n  tessera doctor";

void PrintText(const Machine& machine, const std::vector<Ability>& abilities) {
  fmt::print("  CPU            {}, {} cores usable\n", machine.cpu, machine.cores);
  fmt::print("  memory         {}, {} available\n", FormatBytes(machine.memory),
             FormatBytes(machine.available));
  for (size_t i = 0; i < machine.gpus.gpus.size(); ++i) {
    const Gpu& gpu = machine.gpus.gpus[i];
    fmt::print("  GPU {}          {}, {}, compute capability {}\n", i, gpu.name, FormatBytes(gpu.memory),
               gpu.compute_capability);
  }
  for (const Part& part : machine.parts) {
    fmt::print("  {:<14} {}{}\n", part.name, part.found ? "" : "missing: ", part.detail);
  }
  fmt::print("\n");
  for (const Ability& ability : abilities) {
    const std::string state =
        ability.missing.empty() ? "ready" : fmt::format("missing {}", fmt::join(ability.missing, ", "));
    fmt::print("  {:<38} {}\n", ability.what, state);
  }
}

ordered_json ToJson(const Machine& machine, const std::vector<Ability>& abilities) {
  ordered_json gpus = ordered_json::array();
  for (const Gpu& gpu : machine.gpus.gpus) {
    gpus.push_back({{"name", gpu.name},
                    {"memory_bytes", gpu.memory.value()},
                    {"compute_capability", gpu.compute_capability}});
  }
  ordered_json parts = ordered_json::array();
  for (const Part& part : machine.parts) {
    parts.push_back({{"name", part.name}, {"found", part.found}, {"detail", part.detail}});
  }
  ordered_json can = ordered_json::array();
  for (const Ability& ability : abilities) {
    can.push_back({{"what", ability.what}, {"ready", ability.missing.empty()}, {"missing", ability.missing}});
  }
  return {{"cpu", machine.cpu},
          {"cores", machine.cores},
          {"memory_bytes", machine.memory.value()},
          {"available_bytes", machine.available.value()},
          {"gpus", gpus},
          {"parts", parts},
          {"abilities", can}};
}

Result<int> Doctor(bool json) {
  const Machine machine = ProbeMachine();
  const std::vector<Ability> abilities = AbilitiesOf(machine);
  if (json) {
    fmt::print("{}\n", ToJson(machine, abilities).dump(2));
  } else {
    PrintText(machine, abilities);
  }
  const bool serves = abilities[1].missing.empty();
  return ToInt(serves ? ExitCode::kOk : ExitCode::kCheckFailed);
}

}  // namespace

Command MakeDoctorCommand(CLI::App& parent) {
  auto json = std::make_shared<bool>(false);
  CLI::App* app = parent.add_subcommand("doctor", kAbout);
  app->footer(kExample);
  app->add_flag("--json", *json, "Print one JSON object instead of text");
  return {app, [json] { return Doctor(*json); }};
}

}  // namespace tessera::cli
