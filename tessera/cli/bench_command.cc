#include <memory>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tessera/base/cores.h"
#include "tessera/cli/benchmark.h"
#include "tessera/cli/commands.h"
#include "tessera/cli/model_directory.h"
#include "tessera/cli/model_pair.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/random_inputs.h"
#include "tessera/cli/text.h"
#include "tessera/cli/verify.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;
using std::chrono::nanoseconds;

constexpr double kMostSeconds = 1e6;
constexpr std::chrono::milliseconds kTurn{100};  // long against a switch of models, short against the run

constexpr const char* kBenchAbout =
    "Measures latency and throughput of a sharded model, one step after the other as a server with one "
    "instance runs "
    "them. With --baseline also those of the original model on one device that has all the cores, or of "
    "another "
    "model's directory, in the same run and "
    "in turns, so that the ratio does not depend on what else the machine does. TensorRT engines are "
    "compared "
    "with those of the same model on one rank (tessera shard --ranks 1, tessera build). Percentiles are of "
    "single steps, inputs and outputs in host memory.";
constexpr const char* kBenchExample =
    "Examples:\n"
    "  tessera bench repo/minilm --baseline minilm.onnx --batch 8 --length 128 --seconds 10\n"
    "  tessera bench repo/minilm --baseline one/minilm      engines on two GPUs against those on one";

struct BenchOptions {
  std::string model;
  std::string baseline;
  double seconds = 5;
  SizeOptions sizes;
  bool json = false;
};

struct Measured {
  std::string what;  // "sharded" or "baseline"
  Latency latency;
  double rows_per_second = 0;
};

TimedStep StepOf(Runner& runner, const Inputs& inputs) {
  return [&runner, &inputs]() -> Result<void> {
    TRY(runner.Run(inputs));
    return {};
  };
}

// Rows of a step: its batch where there is one.
int64_t RowsOf(const Inputs& inputs) {
  return inputs.empty() || inputs.front().spec.shape.empty() ? 1 : inputs.front().spec.shape.front();
}

void PrintText(const std::vector<Measured>& measured, const plan::Plan& plan, const Inputs& inputs) {
  fmt::print("{} over {} ranks, {} cores;", plan.model_name, plan.world_size(), UsableCores());
  for (const HostTensor& input : inputs) fmt::print(" {} {}", input.spec.name, ToString(input.spec.shape));
  Table table({"", "p50", "p90", "p99", "mean", "steps", "rows/s"});
  for (const Measured& m : measured) {
    table.Add({m.what, FormatMicroseconds(m.latency.p50_us), FormatMicroseconds(m.latency.p90_us),
               FormatMicroseconds(m.latency.p99_us), FormatMicroseconds(m.latency.mean_us),
               fmt::format("{}", m.latency.steps), fmt::format("{:.1f}", m.rows_per_second)});
  }
  fmt::print("\n{}", table.ToString());
  if (measured.size() < 2) return;
  fmt::print("  sharded / baseline: throughput {:.3f}x, p50 latency {:.3f}x\n",
             measured[0].rows_per_second / measured[1].rows_per_second,
             measured[0].latency.p50_us / measured[1].latency.p50_us);
}

void PrintJson(const std::vector<Measured>& measured) {
  ordered_json object;
  for (const Measured& m : measured) {
    object[m.what] = {{"p50_us", m.latency.p50_us}, {"p90_us", m.latency.p90_us},
                      {"p99_us", m.latency.p99_us}, {"mean_us", m.latency.mean_us},
                      {"steps", m.latency.steps},   {"rows_per_second", m.rows_per_second}};
  }
  if (measured.size() == 2) {
    object["throughput_ratio"] = measured[0].rows_per_second / measured[1].rows_per_second;
    object["p50_ratio"] = measured[0].latency.p50_us / measured[1].latency.p50_us;
  }
  fmt::print("{}\n", object.dump(2));
}

struct Contest {
  ModelPair pair;
  std::optional<ModelPair> other;  // where the baseline is another model's directory

  // The sharded model and, where there is one, the baseline.
  std::vector<Runner*> runners() const {
    std::vector<Runner*> all{pair.sharded.get()};
    if (other) all.push_back(other->sharded.get());
    if (pair.whole) all.push_back(pair.whole.get());
    return all;
  }
};

Result<Contest> Load(const BenchOptions& options) {
  TRY_ASSIGN(const fs::path version, FindVersion(options.model));
  std::error_code error;
  const bool is_directory = fs::is_directory(options.baseline, error);
  TRY_ASSIGN(const plan::Plan plan, plan::ReadPlan(version));
  if (plan.engine == "tensorrt" && !options.baseline.empty() && !is_directory) {
    return Fail(
        Code::kInvalidArgument,
        "--baseline '{}': TensorRT engines are compared with engines, wanted the directory of the same "
        "model on one rank (tessera shard --ranks 1, tessera build)",
        options.baseline);
  }
  Contest contest;
  TRY_ASSIGN(contest.pair, LoadPair(version, is_directory ? "" : options.baseline, RanksOn::kEngines));
  if (!is_directory) return contest;
  TRY_ASSIGN(const fs::path baseline, FindVersion(options.baseline));
  TRY_ASSIGN(contest.other, LoadPair(baseline, "", RanksOn::kEngines));
  return contest;
}

// In turns.
Result<std::vector<Measured>> Measure(const std::vector<Runner*>& runners, const Inputs& inputs,
                                      double seconds) {
  std::vector<Inputs> ordered(runners.size());
  std::vector<TimedStep> steps;
  for (size_t i = 0; i < runners.size(); ++i) {
    TRY_ASSIGN(ordered[i], OrderInputs(runners[i]->plan(), inputs));
    steps.push_back(StepOf(*runners[i], ordered[i]));
  }
  TRY_ASSIGN(const auto times,
             MeasureInTurns(steps, nanoseconds(static_cast<int64_t>(seconds * 1e9)), kTurn));
  std::vector<Measured> measured;
  for (const auto& times_of_one : times) {
    const Latency latency = Summarize(times_of_one);
    measured.push_back(
        {measured.empty() ? "sharded" : "baseline", latency, Throughput(latency, RowsOf(inputs))});
  }
  return measured;
}

Result<int> Bench(const BenchOptions& options) {
  if (!(options.seconds > 0 && options.seconds <= kMostSeconds)) {
    return Fail(Code::kInvalidArgument, "--seconds is {}, wanted > 0 and at most {:.0f}", options.seconds,
                kMostSeconds);
  }
  ProgressBar bar(!options.json);
  bar.Show("loading", 0.1);
  TRY_ASSIGN(const Contest contest, Load(options));
  const plan::Plan& plan = contest.pair.sharded->plan();
  TRY_ASSIGN(const Sizes sizes, ChooseSizes(options.sizes, plan, {8, 128, {}}));
  TRY_ASSIGN(const Inputs inputs, RandomInputs(plan, sizes, contest.pair.index_bounds, 1));
  bar.Show("measuring", 0.5);
  TRY_ASSIGN(const std::vector<Measured> measured, Measure(contest.runners(), inputs, options.seconds));
  bar.Wipe();
  options.json ? PrintJson(measured) : PrintText(measured, plan, inputs);
  return ToInt(ExitCode::kOk);
}

}  // namespace

void AddBenchCommand(Program& program) {
  auto options = std::make_shared<BenchOptions>();
  Command command = program.Add("bench", kBenchAbout, kBenchExample, [options] { return Bench(*options); });
  command.Add("MODEL", options->model, "The sharded model's directory, REPO/NAME").Required();
  command.Add("--baseline", options->baseline,
              "Measured alongside: the ONNX file that was sharded, or another model's directory");
  command.Add("--seconds", options->seconds, "How long to measure").ShowDefault();
  command.Add("--batch", options->sizes.batch, "Size of every free first dimension; else 8");
  command.Add("--length", options->sizes.length, "Size of every other free dimension; else 128");
  command.Add("--dim", options->sizes.dims, "NAME=SIZE of a free dimension by its name");
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
