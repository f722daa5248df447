#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/base/cores.h"
#include "tessera/base/file.h"
#include "tessera/base/sha256.h"
#include "tessera/build/check.h"
#include "tessera/build/profiles.h"
#include "tessera/cli/commands.h"
#include "tessera/cli/half_ranks.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/model_directory.h"
#include "tessera/cli/probe_record.h"
#include "tessera/cli/profile_option.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/rank_builds.h"
#include "tessera/cli/text.h"
#include "tessera/cli/whole_model.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/graph/onnx.h"
#include "tessera/plan/plan.h"
#include "tessera/plan/probe_file.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr const char* kBuildAbout =
    "Makes the TensorRT engine of every rank from its ONNX file, with TensorRT's own parser and builder, "
    "several ranks "
    "at a time. The model must have been sharded with --engine tensorrt. The engines go beside the ONNX "
    "files, which "
    "stay as they are, and plan.json records what was built; the collectives that the engines hold are "
    "compared with "
    "the plan's. TensorRT builds for the GPU of this machine; TensorRT-RTX also for one that is not here "
    "(--sm). "
    "Engines compute in the model's own types, with --fp16 or --bf16 in that one what is FP32 and bears it.";
constexpr const char* kBuildExample =
    "Examples:\n"
    "  tessera build repo/minilm --profile batch=1:8:64,sequence=1:128:256\n"
    "  tessera build repo/minilm --fp16\n"
    "  tessera build repo/minilm --sm 80 --sm 120 --no-tf32";

struct BuildOptions {
  std::string model;
  std::vector<int> capabilities;
  std::vector<std::string> profiles;
  bool no_tf32 = false;
  bool fp16 = false;
  bool bf16 = false;
  std::string builder;
  std::string library;
  std::string timing_cache;
  std::string against;
  bool no_probe = false;
  double probe_tolerance = -1;
  size_t jobs = 0;
  bool verbose = false;
  bool json = false;
};

// The plan as it was before a build: its ranks are ONNX files.
Result<plan::Plan> Unbuilt(plan::Plan plan, const fs::path& version) {
  if (!plan.build) return plan;
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    plan.ranks[r].model = plan.build->sources[r].model;
    plan.ranks[r].weights = plan.build->sources[r].weights;
  }
  const bool half = plan.build->half != DType::kUndefined;
  plan.build.reset();
  if (!half) return plan;
  TRY_ASSIGN(const graph::Graph first, graph::ReadOnnx(version / plan.ranks.front().model.file));
  TRY_ASSIGN(plan.collectives, CarriedBy(first, plan));
  return plan;
}

Result<std::vector<plan::Profile>> MakeProfiles(const plan::Plan& plan,
                                                const std::vector<std::string>& texts) {
  std::vector<plan::Profile> profiles;
  for (const std::string& text : texts) {
    TRY_ASSIGN(const build::SizesByDim sizes, ParseProfile(text));
    TRY_ASSIGN(plan::Profile profile, build::MakeProfile(plan, sizes));
    profiles.push_back(std::move(profile));
  }
  if (!profiles.empty()) return profiles;
  TRY_ASSIGN(plan::Profile usual, build::MakeProfile(plan, {}));
  if (!usual.empty()) profiles.push_back(std::move(usual));
  return profiles;
}

// kUndefined: FP32 stays.
Result<DType> HalfTypeOf(const BuildOptions& options) {
  if (options.fp16 && options.bf16) {
    return Fail(Code::kInvalidArgument,
                "--fp16 and --bf16 were both given, an engine computes in one of them: BF16 where numbers go "
                "beyond 65504, else FP16, which is more exact");
  }
  return options.fp16 ? DType::kFloat16 : options.bf16 ? DType::kBFloat16 : DType::kUndefined;
}

std::string EngineFile(size_t rank) {
  return fmt::format("model.plan.rank{}", rank);
}

double Loosest(const plan::Probe& probe) {
  double loosest = 0;
  for (const double tolerance : probe.tolerances) loosest = std::max(loosest, tolerance);
  return loosest;
}

// Every step needs the ones before.
class ModelBuild {
 public:
  ModelBuild(const BuildOptions& options, DType half_type, fs::path version)
      : options_(options), half_type_(half_type), version_(std::move(version)) {}

  Result<int> Run() {
    const auto start = std::chrono::steady_clock::now();
    TRY(ReadSources());
    TRY_ASSIGN(const EngineBuilder builder,
               FindEngineBuilder(options_.builder, !options_.capabilities.empty(), options_.library));
    // Made beside the model and removed whatever happens; the engines leave it when all are done.
    TRY_ASSIGN(const StagedDirectory scratch, StagedDirectory::Create(version_ / "engines"));
    if (half_type_ != DType::kUndefined) {
      TRY_ASSIGN(half_, HalveRanks(plan_, version_, scratch.path(), half_type_));
    }
    TRY(BuildEngines(builder, scratch.path()));
    TRY(build::CheckCollectives(plan_, reports_));
    TRY(RecordAnswer(scratch.path()));
    TRY(Record(builder, scratch.path()));
    seconds_ = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    Print();
    return ToInt(ExitCode::kOk);
  }

 private:
  Result<void> ReadSources() {
    TRY_ASSIGN(plan_, plan::ReadPlan(version_));
    TRY_ASSIGN(plan_, Unbuilt(std::move(plan_), version_));
    if (plan_.engine != "tensorrt") {
      return Fail(Code::kInvalidArgument,
                  "'{}' was sharded for the engine '{}', wanted tensorrt: shard it with --engine tensorrt",
                  version_.string(), plan_.engine);
    }
    TRY(plan::VerifyArtifacts(plan_, version_));
    TRY_ASSIGN(profiles_, MakeProfiles(plan_, options_.profiles));
    return {};
  }

  build::RankRequest Request(size_t rank, const EngineBuilder& builder, const fs::path& scratch) const {
    build::RankRequest request;
    request.model = fs::absolute(half_ ? half_->models[rank] : version_ / plan_.ranks[rank].model.file);
    request.engine = fs::absolute(scratch / EngineFile(rank));
    request.libraries = builder.libraries;
    request.compute_capabilities = options_.capabilities;
    request.tf32 = !options_.no_tf32;
    for (const plan::Profile& profile : profiles_)
      request.profiles.push_back(build::OfOneRank(profile, plan_));
    request.verbose = options_.verbose;
    if (options_.timing_cache.empty()) return request;
    std::error_code error;
    if (fs::exists(options_.timing_cache, error)) request.timing_cache = fs::absolute(options_.timing_cache);
    request.next_timing_cache = fs::absolute(scratch / fmt::format("timing_cache.{}", rank));
    return request;
  }

  Result<void> BuildEngines(const EngineBuilder& builder, const fs::path& scratch) {
    std::vector<build::RankRequest> requests;
    for (size_t r = 0; r < plan_.ranks.size(); ++r) requests.push_back(Request(r, builder, scratch));
    const size_t jobs = options_.jobs > 0 ? options_.jobs : static_cast<size_t>(UsableCores());
    ProgressBar bar(!options_.json && !options_.verbose);
    TRY_ASSIGN(reports_, BuildRanks(builder.program, requests, fs::absolute(scratch), jobs, [&](size_t done) {
                 bar.Show("building ranks", static_cast<double>(done) / static_cast<double>(requests.size()));
               }));
    return {};
  }

  // What the engines will have to answer. That of a build before serves again if these engines take its
  // sizes.
  Result<void> RecordAnswer(const fs::path& scratch) {
    const std::optional<plan::Probe> before = std::exchange(plan_.probe, std::nullopt);
    if (options_.no_probe) return {};
    TRY_ASSIGN(plan::Arithmetic arithmetic, ArithmeticOf(version_ / plan_.ranks.front().model.file));
    arithmetic.tf32 = !options_.no_tf32;
    arithmetic.half = arithmetic.half || half_type_ == DType::kFloat16;
    arithmetic.bfloat16 = arithmetic.bfloat16 || half_type_ == DType::kBFloat16;
    const auto given = options_.probe_tolerance >= 0 ? std::optional(options_.probe_tolerance) : std::nullopt;
    std::vector<double> tolerances = ProbeTolerances(plan_, arithmetic, given);
    if (before && options_.against.empty() && Serves(*before)) {
      plan_.probe = before;
      plan_.probe->tolerances = std::move(tolerances);
      return {};
    }
    Result<plan::Probe> probe = AskReference(std::move(tolerances), scratch);
    if (!probe && !options_.against.empty()) return Forward(std::move(probe));
    if (probe) {
      plan_.probe = *std::move(probe);
    } else {
      no_probe_reason_ = probe.error().message;
    }
    return {};
  }

  bool Serves(const plan::Probe& probe) const {
    return profiles_.empty() || std::any_of(profiles_.begin(), profiles_.end(), [&](const auto& profile) {
             return TakesSizes(profile, plan_, probe.inputs);
           });
  }

  // The model that was sharded, or else the ranks' ONNX files, on this machine's CPU.
  Result<plan::Probe> AskReference(std::vector<double> tolerances, const fs::path& scratch) const {
    ProbeOrder order{options_.against.empty() ? "ranks" : "model", std::move(tolerances),
                     ProbeSizes(plan_, profiles_), !options_.against.empty()};
    ProgressBar bar(!options_.json && !options_.verbose);
    bar.Show("recording the probe", 0);
    TRY_ASSIGN(const std::unique_ptr<engine::Engine> engine, engine::MakeEngine("openvino"));
    std::unique_ptr<Runner> reference;
    if (options_.against.empty()) {
      exec::Options untried;
      untried.probe = false;
      TRY_ASSIGN(auto executor, exec::Executor::Create(plan_, version_, *engine, untried));
      reference = MakeRunner(std::move(executor));
    } else {
      TRY(CheckSource(plan_, options_.against));
      TRY_ASSIGN(reference, LoadWholeModel(plan_, options_.against, *engine));
    }
    return RecordProbe(plan_, *reference, order, scratch);
  }

  // The engines take their places, then the plan names them: until then it is the old one.
  Result<void> Record(const EngineBuilder& builder, const fs::path& scratch) {
    plan::Build made;
    made.library = builder.name == "tensorrt" ? "tensorrt" : "tensorrt_rtx";
    made.version = reports_.front().version;
    made.compute_capabilities = reports_.front().compute_capabilities;
    made.tf32 = !options_.no_tf32;
    made.half = half_type_;
    if (half_) plan_.collectives = half_->collectives;
    made.profiles = profiles_;
    for (size_t r = 0; r < plan_.ranks.size(); ++r) {
      plan::RankPlan& rank = plan_.ranks[r];
      made.sources.push_back({rank.model, std::move(rank.weights)});
      rank.weights.clear();
      TRY_ASSIGN(rank.model, ArtifactOf(scratch, EngineFile(r)));
    }
    plan_.build = std::move(made);
    for (const plan::RankPlan& rank : plan_.ranks)
      TRY(Move(scratch / rank.model.file, version_ / rank.model.file));
    std::error_code error;
    if (fs::exists(scratch / plan::kProbeFile, error))
      TRY(Move(scratch / plan::kProbeFile, version_ / plan::kProbeFile));
    const fs::path timings = scratch / "timing_cache.0";
    if (fs::exists(timings, error)) TRY(WriteTimings(timings));
    TRY(plan::WritePlan(plan_, version_));
    if (!plan_.probe) fs::remove(version_ / plan::kProbeFile, error);  // of a build before
    return {};
  }

  // The ranks' engines are made of the same layers: one rank's timings serve all. It may be on another file
  // system.
  Result<void> WriteTimings(const fs::path& timings) const {
    TRY_ASSIGN(const std::string bytes, ReadFile(timings));
    return WriteFileAtomically(options_.timing_cache, bytes);
  }

  static Result<plan::Artifact> ArtifactOf(const fs::path& directory, const std::string& file) {
    TRY_ASSIGN(std::string sha256, Sha256OfFile(directory / file));
    std::error_code error;
    const auto bytes = fs::file_size(directory / file, error);
    if (error) return Fail(Code::kUnavailable, "cannot read the size of '{}': {}", file, error.message());
    return plan::Artifact{file, ByteCount{bytes}, std::move(sha256)};
  }

  static Result<void> Move(const fs::path& from, const fs::path& to) {
    std::error_code error;
    fs::rename(from, to, error);
    if (error) return Fail(Code::kUnavailable, "cannot write '{}': {}", to.string(), error.message());
    return {};
  }

  bool layers_listed() const {
    return std::all_of(reports_.begin(), reports_.end(),
                       [](const auto& report) { return report.layers_listed; });
  }

  void Print() const {
    if (!no_probe_reason_.empty())
      fmt::print(stderr, "tessera: no probe is recorded: {}\n", no_probe_reason_);
    options_.json ? PrintJson() : PrintText();
  }

  std::string ProbeText() const {
    if (!plan_.probe) return "none";
    return fmt::format("answered by {}, compared at every load (tolerance {:g})",
                       plan_.probe->reference == "model" ? "the whole model" : "the ranks' ONNX files",
                       Loosest(*plan_.probe));
  }

  std::string PrecisionText() const {
    if (!half_) return "the model's";
    const graph::HalfReport& report = half_->report;
    return fmt::format("{}; {} of {} operators go on in FP32, {} elements of constants were clamped",
                       DTypeName(half_type_), report.nodes_in_full,
                       report.nodes_in_full + report.nodes_in_half, report.clamped);
  }

  void PrintText() const {
    Table table({"rank", "engine", "size"});
    for (size_t r = 0; r < plan_.ranks.size(); ++r) {
      const plan::Artifact& engine = plan_.ranks[r].model;
      table.Add({fmt::format("{}", r), engine.file, FormatBytes(engine.bytes)});
    }
    fmt::print(
        "{}: {} engine{} by {} {} for compute capability {} in {}\n\n{}\n  collectives  {} as planned, "
        "counted in "
        "the {}\n  precision    {}\n  probe        {}\n  written to   {}\n",
        plan_.model_name, plan_.ranks.size(), plan_.ranks.size() == 1 ? "" : "s", plan_.build->library,
        plan_.build->version, fmt::join(plan_.build->compute_capabilities, ", "),
        FormatMicroseconds(seconds_ * 1e6), table.ToString(), plan_.collectives.size(),
        layers_listed() ? "engines" : "parsed models (this library lists no layers)", PrecisionText(),
        ProbeText(), version_.string());
  }

  void PrintJson() const {
    ordered_json ranks = ordered_json::array();
    for (size_t r = 0; r < plan_.ranks.size(); ++r) {
      const plan::Artifact& engine = plan_.ranks[r].model;
      ranks.push_back(
          {{"rank", r}, {"file", engine.file}, {"bytes", engine.bytes.value()}, {"sha256", engine.sha256}});
    }
    ordered_json object{{"model", plan_.model_name},
                        {"library", plan_.build->library},
                        {"version", plan_.build->version},
                        {"compute_capabilities", plan_.build->compute_capabilities},
                        {"ranks", ranks},
                        {"collectives", plan_.collectives.size()},
                        {"counted_in", layers_listed() ? "engine" : "model"},
                        {"probe", plan_.probe ? ordered_json(plan_.probe->reference) : ordered_json()},
                        {"seconds", seconds_}};
    if (half_) {
      const std::string name = graph::LowerName(half_type_);
      object[name] = {{"in_" + name, half_->report.nodes_in_half},
                      {"in_fp32", half_->report.nodes_in_full},
                      {"clamped", half_->report.clamped}};
    }
    fmt::print("{}\n", object.dump(2));
  }

  const BuildOptions& options_;
  const DType half_type_;  // kUndefined: FP32 stays
  const fs::path version_;
  plan::Plan plan_;
  std::vector<plan::Profile> profiles_;
  std::optional<HalfRanks> half_;  // with a half_type_
  std::vector<build::RankReport> reports_;
  std::string no_probe_reason_;
  double seconds_ = 0;
};

Result<int> BuildModel(const BuildOptions& options) {
  TRY_ASSIGN(const DType half_type, HalfTypeOf(options));
  TRY_ASSIGN(fs::path version, FindVersion(options.model));
  return ModelBuild(options, half_type, std::move(version)).Run();
}

}  // namespace

void AddBuildCommand(Program& program) {
  auto options = std::make_shared<BuildOptions>();
  Command command =
      program.Add("build", kBuildAbout, kBuildExample, [options] { return BuildModel(*options); });
  command.Add("MODEL", options->model, "The model's directory, REPO/NAME (or one version of it)").Required();
  command
      .Add("--sm", options->capabilities,
           "Compute capability to build for, 80 for 8.0; may be given several times; else this machine's GPU")
      .Between(10, 999);
  command.Add(
      "--profile", options->profiles,
      "NAME=MIN:OPT:MAX,..: sizes of free dimensions (INPUT.AXIS for one without a name); 1:8:64 for those "
      "that come first in an input and 1:128:512 for others are assumed. Given several times: several "
      "optimisation profiles");
  command.Flag("--no-tf32", options->no_tf32,
               "Compute FP32 products in FP32, not in TF32: slower, more exact");
  command.Flag(
      "--fp16", options->fp16,
      "Compute FP32 products, elementwise operators and collectives in FP16; what needs FP32's range or "
      "precision, inputs and outputs stay FP32");
  command.Flag(
      "--bf16", options->bf16,
      "The same in BF16, which has FP32's range and 8 bits of precision: for models whose numbers go "
      "beyond 65504, as those trained in BF16 may");
  command.Add("--builder", options->builder,
              "tensorrt or tensorrt-rtx; else TensorRT-RTX with --sm, TensorRT without");
  command.Add("--library", options->library, "The library's file, if the loader does not find it");
  command.Add(
      "--timing-cache", options->timing_cache,
      "File of kernel timings to start from and to update; makes the next build faster (TensorRT only)");
  command.Add("--against", options->against,
              "The ONNX file that was sharded: it answers the probe, a request that is run and compared "
              "whenever the engines are loaded; else the ranks' ONNX files do, on the CPU");
  command.Flag("--no-probe", options->no_probe, "Record no probe");
  command
      .Add("--probe-tolerance", options->probe_tolerance,
           "How far off the probe's answers may be, relative to the largest value of an output; else by "
           "type")
      .NotNegative();
  command.Add("--jobs", options->jobs, "How many ranks to build at a time; 0 = as many as cores")
      .ShowDefault();
  command.Flag("--verbose", options->verbose, "Show all of the builder's messages on stderr");
  command.JsonFlag(options->json);
}

}  // namespace tessera::cli
