#include <stdlib.h>

#include <algorithm>
#include <array>
#include <memory>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/commands.h"
#include "tessera/cli/lock_step.h"
#include "tessera/cli/model_config.h"
#include "tessera/cli/model_directory.h"
#include "tessera/cli/model_pair.h"
#include "tessera/cli/npz.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/random_inputs.h"
#include "tessera/cli/recording.h"
#include "tessera/cli/scratch_directory.h"
#include "tessera/cli/text.h"
#include "tessera/cli/verify.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kVerifyAbout =
    "Proves that a sharded model computes what the original does: runs both on the same inputs and compares "
    "every "
    "output. max_rel is the largest difference over the largest value of that output; integer outputs must "
    "be equal, "
    "NaN may only meet NaN. Inputs are random but valid (indexes inside their tables, masks of ones and "
    "zeros) in "
    "several sizes, or taken from --inputs. Where requests would be batched, also checks that the rows of a "
    "batch do "
    "not influence each other. Exit code 1 when anything differs by more than the tolerance. The original "
    "runs on the CPU. "
    "Of a model for TensorRT the engines are run, on GPUs; before tessera build, and with --cpu, the ranks' "
    "ONNX "
    "files on the CPU, which proves the split on any machine.";
constexpr const char* kVerifyExample =
    "Examples:\n"
    "  tessera verify repo/minilm --against minilm.onnx\n"
    "  tessera verify repo/minilm --against minilm.onnx --batch 8 --length 128 --tolerance 2e-5\n"
    "  tessera verify repo/minilm --against minilm.onnx --inputs sentences.npz\n"
    "  tessera verify repo/minilm --against minilm.onnx --tolerance 5e-3      TensorRT engines with TF32 or "
    "FP16";

struct VerifyOptions {
  std::string model;
  std::string against;
  std::string inputs;
  std::string expected;
  double tolerance = 1e-5;
  SizeOptions sizes;
  bool cpu = false;
  bool trace = false;
  bool json = false;
};

// Several sizes for what is free, or several seeds when nothing is. What the user sets holds for all of them.
Result<std::vector<Inputs>> RandomCases(const VerifyOptions& options, const ModelPair& pair) {
  constexpr std::array<std::pair<int64_t, int64_t>, 4> kBatchAndLength{{{1, 16}, {2, 7}, {4, 32}, {3, 1}}};
  const plan::Plan& plan = pair.sharded->plan();
  std::vector<Inputs> cases;
  for (auto [batch, length] : kBatchAndLength) {
    TRY_ASSIGN(const Sizes sizes, ChooseSizes(options.sizes, plan, {batch, length, {}}));
    TRY_ASSIGN(Inputs inputs, RandomInputs(plan, sizes, pair.index_bounds, /*seed=*/cases.size() + 1));
    cases.push_back(std::move(inputs));
  }
  return cases;
}

Result<std::vector<Inputs>> GivenCase(const VerifyOptions& options, const plan::Plan& plan) {
  TRY_ASSIGN(const std::vector<HostTensor> given, ReadNpz(options.inputs));
  auto inputs = OrderInputs(plan, given);
  if (!inputs) return Fail(Code::kInvalidArgument, "'{}': {}", options.inputs, inputs.error().message);
  return std::vector<Inputs>{*std::move(inputs)};
}

// Not under data parallelism: each rank wants its share of every batch.
bool RunsRowsAlone(const plan::Plan& plan) {
  return std::all_of(plan.inputs.begin(), plan.inputs.end(), [&](const plan::TensorPlan& input) {
    return input.spec.shape.empty() || SizeMultiple(plan, input, 0) == 1;
  });
}

// Of the cases, the first that is a real batch; nothing to check without one.
Result<std::vector<OutputCheck>> CheckRows(Runner& sharded, const std::vector<Inputs>& cases,
                                           double tolerance) {
  if (!CanBatch(sharded.plan()) || !RunsRowsAlone(sharded.plan())) return std::vector<OutputCheck>{};
  for (const Inputs& inputs : cases) {
    if (inputs.front().spec.shape.front() > 1) return VerifyRows(sharded, inputs, tolerance);
  }
  return std::vector<OutputCheck>{};
}

ordered_json ToJson(const std::vector<OutputCheck>& outputs, bool ok) {
  ordered_json list = ordered_json::array();
  for (const OutputCheck& check : outputs) {
    list.push_back({{"name", check.name},
                    {"max_abs", check.worst.max_abs},
                    {"max_rel", check.worst.max_rel},
                    {"ok", check.ok}});
  }
  return {{"outputs", list}, {"ok", ok}};
}

std::string ToText(const std::vector<OutputCheck>& outputs) {
  Table table({"output", "type", "max abs", "max rel", "ok"});
  for (const OutputCheck& check : outputs) {
    table.Add({check.name, std::string(DTypeName(check.type)), fmt::format("{:.3g}", check.worst.max_abs),
               fmt::format("{:.3g}", check.worst.max_rel), check.ok ? "yes" : "NO"});
  }
  return table.ToString();
}

struct Verification {
  size_t cases = 0;
  std::vector<OutputCheck> outputs;
  std::vector<OutputCheck> rows;

  bool ok() const { return AllOk(outputs) && AllOk(rows); }
};

Result<Verification> RunChecks(const VerifyOptions& options, const ModelPair& pair, ProgressBar& bar) {
  const plan::Plan& plan = pair.sharded->plan();
  bar.Show("making inputs", 0.4);
  TRY_ASSIGN(const auto cases,
             options.inputs.empty() ? RandomCases(options, pair) : GivenCase(options, plan));
  Verification result;
  result.cases = cases.size();
  bar.Show("comparing", 0.6);
  TRY_ASSIGN(result.outputs, VerifyOutputs(*pair.sharded, *pair.whole, cases, options.tolerance));
  bar.Show("checking batches", 0.9);
  TRY_ASSIGN(result.rows, CheckRows(*pair.sharded, cases, options.tolerance));
  return result;
}

void Print(const VerifyOptions& options, const ModelPair& pair, const Verification& result) {
  const plan::Plan& plan = pair.sharded->plan();
  if (options.json) {
    fmt::print("{}\n", ToJson(result.outputs, result.ok()).dump(2));
  } else {
    fmt::print("{} over {} rank{}{} against {}: {} case{}, tolerance {:g}\n{}", plan.model_name,
               plan.world_size(), plan.world_size() == 1 ? "" : "s",
               pair.in_place_of_engines ? " (their ONNX files, on the CPU)" : "",
               options.expected.empty() ? options.against : options.expected, result.cases,
               result.cases == 1 ? "" : "s", options.tolerance, ToText(result.outputs));
  }
  if (AllOk(result.rows)) return;
  fmt::print(stderr,
             "tessera: the rows of a batch influence each other: set max_batch_size to 0 and remove "
             "dynamic_batching "
             "in config.pbtxt, or shard with --max-batch 0\n");
}

// The first value that is wrong, on the first case.
Result<int> Trace(const VerifyOptions& options, const fs::path& version, const ModelPair& pair) {
  TRY_ASSIGN(const auto cases,
             options.inputs.empty() ? RandomCases(options, pair) : GivenCase(options, pair.sharded->plan()));
  TRY_ASSIGN(const ScratchDirectory scratch, ScratchDirectory::Create());
  TRY_ASSIGN(const LockStepReport report, CompareLockStep(version, options.against, cases[0],
                                                          options.tolerance, *pair.engine, scratch.path()));
  const bool ok = !report.first;
  if (options.json) {
    ordered_json json{{"compared", report.compared}, {"ok", ok}};
    if (!ok) {
      json["first_wrong"] = {{"node", report.first->node},
                             {"value", report.first->value},
                             {"state", report.first->state},
                             {"of", report.first->of},
                             {"max_abs", report.first->difference.max_abs},
                             {"max_rel", report.first->difference.max_rel}};
    }
    fmt::print("{}\n", json.dump(2));
  } else if (ok) {
    fmt::print("all {} values are what the whole model computes\n", report.compared);
  } else {
    fmt::print(
        "the first wrong value, after {} right ones: '{}', {} of '{}', made by {}: max abs {:.3g}, max rel "
        "{:.3g}\n",
        report.compared - 1, report.first->value, report.first->state, report.first->of, report.first->node,
        report.first->difference.max_abs, report.first->difference.max_rel);
  }
  return ToInt(ok ? ExitCode::kOk : ExitCode::kCheckFailed);
}

Result<void> Check(const VerifyOptions& options) {
  if (options.against.empty() && options.expected.empty()) {
    return Fail(Code::kInvalidArgument,
                "give --against MODEL.onnx: a plan does not tell where its model was");
  }
  if (options.expected.empty()) return {};
  if (options.inputs.empty())
    return Fail(Code::kInvalidArgument, "--expected are the outputs for --inputs: give both");
  if (!options.against.empty() || options.trace) {
    return Fail(Code::kInvalidArgument, "--expected stands for the unsharded model: --{} needs that model",
                options.trace ? "trace" : "against");
  }
  return {};
}

Result<int> Verify(const VerifyOptions& options) {
  TRY(Check(options));
  ProgressBar bar(!options.json);
  bar.Show("loading", 0.1);
  TRY_ASSIGN(const fs::path version, FindVersion(options.model));
  const bool on_cpu = options.cpu || options.trace;  // values within an engine are not to be had
  TRY_ASSIGN(ModelPair pair,
             LoadPair(version, options.against, on_cpu ? RanksOn::kCpu : RanksOn::kWhatIsThere));
  if (!options.expected.empty()) {
    TRY_ASSIGN(pair.whole, ReadRecording(pair.sharded->plan(), options.expected));
  }
  if (options.trace) {
    bar.Wipe();
    return Trace(options, version, pair);
  }
  TRY_ASSIGN(const Verification result, RunChecks(options, pair, bar));
  bar.Wipe();
  Print(options, pair, result);
  return ToInt(result.ok() ? ExitCode::kOk : ExitCode::kCheckFailed);
}

}  // namespace

void AddVerifyCommand(Program& program) {
  auto options = std::make_shared<VerifyOptions>();
  Command command =
      program.Add("verify", kVerifyAbout, kVerifyExample, [options] { return Verify(*options); });
  command.Add("MODEL", options->model, "The sharded model's directory, REPO/NAME").Required();
  command.Add("--against", options->against, "The ONNX file that was sharded");
  command.Add("--inputs", options->inputs,
              "An .npz file with an array for every input, instead of random ones");
  command.Add("--expected", options->expected,
              "Instead of --against: an .npz file with what every output must be for --inputs");
  command.Add("--tolerance", options->tolerance, "Largest max_rel that is ok").ShowDefault().NotNegative();
  command.Add("--batch", options->sizes.batch, "Size of every free first dimension");
  command.Add("--length", options->sizes.length, "Size of every other free dimension");
  command.Add("--dim", options->sizes.dims, "NAME=SIZE of a free dimension by its name");
  command.Flag("--cpu", options->cpu,
               "Of a model for TensorRT: run the ranks' ONNX files on the CPU, not the engines on GPUs");
  command.Flag(
      "--trace", options->trace,
      "Compare every value instead of the outputs, and name the first that is wrong (needs shard --trace)");
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
