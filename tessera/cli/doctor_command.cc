#include <algorithm>
#include <filesystem>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/calibrate.h"
#include "tessera/cli/commands.h"
#include "tessera/cli/machine.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

using nlohmann::ordered_json;

constexpr const char* kDoctorAbout =
    "Tells what this machine has - cores, memory, GPUs, OpenVINO, Triton, NCCL, TensorRT - what can be done "
    "with it, "
    "and what is missing for the rest. Triton is started for a moment to see that it runs. Exit code 1 when "
    "models "
    "cannot even be served on CPU ranks.";
constexpr const char* kDoctorExample =
    "Examples:\n"
    "  tessera doctor\n"
    "  tessera doctor --calibrate --output machine.json      a minute; then: tessera shard --machine "
    "machine.json ..";

constexpr int kMostRanks = 256;

struct DoctorOptions {
  bool calibrate = false;
  std::string output;
  CalibrateOptions calibration;
  bool json = false;
};

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

std::string PointText(const shard::Curve& curve, double size) {
  return FormatMicroseconds(curve.At(size));
}

void PrintTable(const shard::Machine& machine) {
  constexpr double kKib = 1024;
  Table table({machine.name, "threads", "step", "launch", "1 MFLOP", "1 GFLOP", "64 KiB", "16 MiB",
               "all_reduce 1 KiB", "1 MiB"});
  for (const shard::Speeds& s : machine.speeds) {
    const auto reduce = [&](double bytes) {
      return s.ranks == 1 ? "-" : FormatMicroseconds(s.Collective(CollectiveOp::kAllReduce, bytes));
    };
    table.Add({fmt::format("{} rank{}", s.ranks, s.ranks == 1 ? "" : "s"),
               fmt::format("{}", s.threads_per_rank), FormatMicroseconds(s.step_us),
               fmt::format("{:.2f} us", s.launch_us), PointText(s.gemm, 1e6), PointText(s.gemm, 1e9),
               PointText(s.memory, 64 * kKib), PointText(s.memory, 16 * kKib * kKib), reduce(kKib),
               reduce(kKib * kKib)});
  }
  fmt::print("{}", table.ToString());
}

Result<void> Check(const DoctorOptions& options) {
  const CalibrateOptions& wanted = options.calibration;
  if (wanted.ranks < 2 || wanted.ranks > kMostRanks)
    return Fail(Code::kInvalidArgument, "--ranks is {}, wanted 2 to {}", wanted.ranks, kMostRanks);
  if (wanted.threads_per_rank < 0 || wanted.threads_per_rank > kMostRanks) {
    return Fail(Code::kInvalidArgument, "--threads-per-rank is {}, wanted 0 to {}", wanted.threads_per_rank,
                kMostRanks);
  }
  if (!(wanted.seconds > 0))
    return Fail(Code::kInvalidArgument, "--seconds is {}, wanted > 0", wanted.seconds);
  // Before the minute, not after.
  const auto directory = std::filesystem::absolute(options.output).parent_path();
  if (options.output.empty() || std::filesystem::is_directory(directory)) return {};
  return Fail(Code::kNotFound, "--output '{}': no directory '{}'", options.output, directory.string());
}

Result<int> CalibrateHere(DoctorOptions options) {
  TRY(Check(options));
  const Machine host = ProbeHost();
  options.calibration.name = fmt::format("{}, {} cores", host.cpu, host.cores);
  options.calibration.cores = host.cores;
  ProgressBar bar(!options.json);
  TRY_ASSIGN(const shard::Machine machine,
             Calibrate(options.calibration,
                       [&](std::string_view stage, double fraction) { bar.Show(stage, fraction); }));
  bar.Wipe();
  if (!options.output.empty()) TRY(shard::WriteMachine(machine, options.output));
  if (options.json)
    fmt::print("{}", shard::MachineToJson(machine));
  else
    PrintTable(machine);
  return ToInt(ExitCode::kOk);
}

Result<int> Doctor(const DoctorOptions& options) {
  if (options.calibrate) return CalibrateHere(options);
  const Machine machine = ProbeMachine();
  const std::vector<Ability> abilities = AbilitiesOf(machine);
  if (options.json) {
    fmt::print("{}\n", ToJson(machine, abilities).dump(2));
  } else {
    PrintText(machine, abilities);
  }
  const bool serves = abilities[1].missing.empty();
  return ToInt(serves ? ExitCode::kOk : ExitCode::kCheckFailed);
}

}  // namespace

void AddDoctorCommand(Program& program) {
  auto options = std::make_shared<DoctorOptions>();
  Command command =
      program.Add("doctor", kDoctorAbout, kDoctorExample, [options] { return Doctor(*options); });
  const Option calibrate =
      command.Flag("--calibrate", options->calibrate,
                   "Measure instead what plans are priced with: an op's launch, matrix products, memory and "
                   "collectives by size, for CPU ranks. The machine should do nothing else");
  command.Add("--output", options->output, "Where the table is written, for tessera shard --machine")
      .Needs(calibrate);
  command.Add("--ranks", options->calibration.ranks, "Up to how many ranks").Needs(calibrate).ShowDefault();
  command
      .Add("--threads-per-rank", options->calibration.threads_per_rank,
           "Threads that a rank computes on; 0 = the cores shared out, as when serving")
      .Needs(calibrate)
      .ShowDefault();
  command.Add("--seconds", options->calibration.seconds, "How long to measure each number of ranks")
      .Needs(calibrate)
      .ShowDefault();
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
