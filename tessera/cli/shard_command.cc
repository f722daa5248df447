#include <filesystem>
#include <memory>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tessera/cli/commands.h"
#include "tessera/cli/dim_option.h"
#include "tessera/cli/probe_record.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/repository.h"
#include "tessera/cli/shard_report.h"
#include "tessera/cli/whole_model.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/graph/openvino/openvino_shape_oracle.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShardAbout =
    "Splits an ONNX model over N ranks and writes a model that Triton serves: REPO/NAME/config.pbtxt and "
    "REPO/NAME/1/ with the plan, one ONNX file a rank, and their weights. Weights of attention and MLP "
    "blocks are cut, "
    "so each rank holds and computes its part; where the parts must meet, the ranks run a collective. The "
    "model itself "
    "is not touched, and REPO/NAME appears whole or not at all.";
constexpr const char* kShardExample =
    "Examples:\n"
    "  tessera shard minilm.onnx --ranks 2 -o repo\n"
    "  tessera shard minilm.onnx --ranks 4 -o repo --name minilm4 --dim batch=8 --dim sequence=512";

constexpr std::string_view kRunsOnnx = "openvino";

struct ShardOptions {
  std::string model;
  std::string repository;
  std::string name;
  int max_batch = 64;
  std::vector<std::string> dims;
  uint64_t memory_per_rank = 0;
  std::string machine;
  std::string embeddings = "split";
  bool probe = false;
  bool json = false;
  shard::Options shard;
};

Result<void> Check(const ShardOptions& options) {
  if (options.max_batch < 0)
    return Fail(Code::kInvalidArgument, "--max-batch is {}, wanted >= 0", options.max_batch);
  if (options.embeddings != "split" && options.embeddings != "whole")
    return Fail(Code::kInvalidArgument, "--embeddings is '{}', wanted split or whole", options.embeddings);
  std::error_code error;  // neither need be there
  if (fs::equivalent(options.shard.annotated, options.model, error))
    return Fail(Code::kInvalidArgument, "--annotated '{}' is the model itself, which stays as it is",
                options.shard.annotated.string());
  // An engine that this build has not can still be sharded for; an unknown one cannot.
  auto engine = engine::MakeEngine(options.shard.engine);
  if (!engine && engine.error().code == Code::kInvalidArgument) return Forward(std::move(engine));
  return {};
}

// A built-in machine by its name, else a file; "" = none.
Result<std::optional<shard::Machine>> FindMachine(const std::string& machine) {
  if (machine.empty()) return std::optional<shard::Machine>();
  Result<shard::Machine> found = shard::BuiltInMachine(machine);
  if (!found && fs::exists(machine)) found = shard::ReadMachine(machine);
  if (found) return std::optional(*std::move(found));
  if (found.error().code != Code::kNotFound) return Forward(std::move(found));
  return Fail(Code::kNotFound,
              "--machine '{}' is no file and no built-in machine, wanted a table of "
              "`tessera doctor --calibrate` or one of: {}",
              machine, fmt::format("{}", fmt::join(shard::BuiltInMachines(), ", ")));
}

// What is served whole runs as its exporter wrote it, ops that the engine lacks included: better told now
// than by the server. Engines that are built from the ONNX file in a step of their own tell then.
Result<void> CheckThatItRuns(const plan::Plan& plan, const fs::path& directory) {
  if (plan.world_size() > 1 || plan.engine != kRunsOnnx) return {};
  TRY_ASSIGN(const auto engine, engine::MakeEngine(plan.engine));
  const auto group = engine->Load(plan, directory, Deadline::Never());
  if (group) return {};
  std::string why = group.error().message;
  const std::string file = fmt::format("'{}': ", (directory / plan.ranks.front().model.file).string());
  if (const size_t at = why.find(file); at != std::string::npos) why.erase(at, file.size());  // gone by then
  return Fail(Code::kUnsupported, "nothing is split, and engine '{}' cannot run the model whole: {}",
              plan.engine, why);
}

// The whole model's answer to a request, for the ranks to be compared with whenever they are loaded.
Result<void> AddProbe(plan::Plan& plan, const fs::path& model, const fs::path& directory) {
  TRY_ASSIGN(const auto engine, engine::MakeEngine(kRunsOnnx));
  TRY_ASSIGN(const std::unique_ptr<Runner> whole, LoadWholeModel(plan, model, *engine));
  TRY_ASSIGN(const plan::Arithmetic arithmetic, ArithmeticOf(model));
  const ProbeOrder order{"model", ProbeTolerances(plan, arithmetic, std::nullopt), ProbeSizes(plan, {}),
                         true};
  TRY_ASSIGN(plan.probe, RecordProbe(plan, *whole, order, directory));
  return plan::WritePlan(plan, directory);
}

Result<int> Shard(ShardOptions options) {
  TRY(Check(options));
  TRY_ASSIGN(options.shard.nominal_dims, ParseDims(options.dims));
  options.shard.memory_per_rank = ByteCount{options.memory_per_rank};
  TRY_ASSIGN(options.shard.machine, FindMachine(options.machine));
  options.shard.embeddings =
      options.embeddings == "whole" ? shard::Embeddings::kWhole : shard::Embeddings::kSplit;
  options.shard.name = options.name.empty() ? fs::path(options.model).stem().string() : options.name;
  auto shard = [&](const fs::path& directory) -> Result<shard::Outcome> {
    ProgressBar bar(!options.json);
    const auto oracle = graph::MakeOpenVinoShapeOracle();
    TRY_ASSIGN(shard::Outcome outcome, shard::ShardModel(options.model, options.shard, *oracle, directory,
                                                         [&](std::string_view stage, double fraction) {
                                                           bar.Show(stage, fraction);
                                                         }));
    TRY(CheckThatItRuns(outcome.plan, directory));
    if (options.probe) {
      bar.Show("recording the probe", 1.0);
      TRY(AddProbe(outcome.plan, options.model, directory));
    }
    return outcome;
  };
  TRY_ASSIGN(const shard::Outcome outcome,
             AddModel(options.repository, options.shard.name, options.max_batch, shard));
  if (outcome.plan.world_size() != options.shard.ranks) {  // a script must see it, too
    fmt::print(stderr, "tessera: the plan has {} rank{}, not {}: {}\n", outcome.plan.world_size(),
               outcome.plan.world_size() == 1 ? "" : "s", options.shard.ranks, outcome.reason);
  }
  if (options.json) {
    fmt::print("{}\n", ShardJson(outcome).dump(2));
    return ToInt(ExitCode::kOk);
  }
  const std::string written = (fs::path(options.repository) / options.shard.name).string();
  const std::string next = outcome.plan.engine == "tensorrt"
                               ? fmt::format("build {}", written)
                               : fmt::format("verify {} --against {}", written, options.model);
  fmt::print("{}  written to   {}\n\nNext: tessera {}\n", ShardSummary(outcome), written, next);
  return ToInt(ExitCode::kOk);
}

}  // namespace

void AddShardCommand(Program& program) {
  auto options = std::make_shared<ShardOptions>();
  Command command = program.Add("shard", kShardAbout, kShardExample, [options] { return Shard(*options); });
  command.Add("MODEL.onnx", options->model, "The model to split").Required();
  command.Add("--ranks", options->shard.ranks, "Over how many ranks (devices)").Required();
  command.Add("-o,--output", options->repository, "The model repository to add it to; made if missing")
      .Required();
  command.Add("--name", options->name, "The model's name in the repository; else the file's");
  command
      .Add("--strategy", options->shard.strategy,
           fmt::format("How to split: {}", fmt::join(shard::Strategies(), ", ")))
      .ShowDefault();
  command.Add("--engine", options->shard.engine, "What will run the ranks").ShowDefault();
  command.Add("--machine", options->machine,
              fmt::format("Whose figures predict the cost: a table written by tessera doctor "
                          "--calibrate, or {}; else that of the engine's device",
                          fmt::join(shard::BuiltInMachines(), " or ")));
  command
      .Add("--max-batch", options->max_batch,
           "Largest batch to serve, where the first dimension of every input and output is free; 0 = "
           "no batching")
      .ShowDefault();
  command.Add("--dim", options->dims, "NAME=SIZE: assume this size of a free dimension when predicting cost");
  command
      .Add("--memory-per-rank", options->memory_per_rank,
           "Most bytes of weights that a rank may hold (500MiB, 80GB); 0 = any")
      .Bytes();
  command
      .Add("--search-limit", options->shard.search_limit,
           "Largest table of the exact search; where it would need a larger one, the plan is the best "
           "found and told with a bound")
      .ShowDefault()
      .Positive();
  command
      .Add("--embeddings", options->embeddings,
           "Where weights are split: split = embedding tables of more than a tenth of them are, too, "
           "which takes a collective; whole = every rank holds all of every table")
      .ShowDefault();
  command.Flag("--ignore-annotations", options->shard.ignore_annotations,
               "Plan as if the model had no multi-device annotations of its own (they are constraints)");
  command.Add("--annotated", options->shard.annotated,
              "Also write the model to this file with the plan as ONNX's multi-device annotations");
  command.Flag(
      "--probe", options->probe,
      "Record the whole model's answer to a request, with which the ranks' are compared whenever they "
      "are loaded (tessera build records one unasked)");
  command.Flag("--trace", options->shard.trace,
               "Also write what every value of the ranks holds, for tessera verify --trace");
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
