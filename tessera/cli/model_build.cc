#include "tessera/cli/model_build.h"

#include <algorithm>
#include <chrono>

#include <fmt/format.h>

#include "tessera/base/file.h"
#include "tessera/base/log.h"
#include "tessera/base/posix.h"
#include "tessera/build/check.h"
#include "tessera/build/profiles.h"
#include "tessera/cli/build_probe.h"
#include "tessera/cli/build_schedule.h"
#include "tessera/cli/built_files.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/model_directory.h"
#include "tessera/cli/profile_option.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/unbuilt.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

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

// One build at a time: engines of two would lie beside one plan. Nothing on a file system without such locks.
Result<UniqueFd> LockVersion(const fs::path& version) {
  Result<UniqueFd> lock = LockDirectory(version);
  if (lock || lock.error().code == Code::kUnsupported) return lock ? *std::move(lock) : UniqueFd();
  if (lock.error().code != Code::kAlreadyExists) return lock;
  return Fail(Code::kUnavailable, "'{}' is being built by another process, wait for it to end",
              version.string());
}

std::string EngineFile(size_t rank) {
  return fmt::format("model.plan.rank{}", rank);
}

// Another one is recorded then; an engine can be built without it.
void DropDamagedProbe(plan::Plan& plan, const fs::path& version) {
  plan::Plan alone;
  alone.probe = plan.probe;
  const Result<void> intact = plan::VerifyArtifacts(alone, version);
  if (intact) return;
  TESSERA_LOG(kWarning, "the probe is of no more use: {}", intact.error().message);
  plan.probe.reset();
}

// The model's plan with its ONNX files, which are what it says.
Result<plan::Plan> ReadSharded(const fs::path& version) {
  TRY_ASSIGN(plan::Plan plan, plan::ReadPlan(version));
  TRY_ASSIGN(plan, Unbuilt(std::move(plan), version));
  if (plan.engine != "tensorrt") {
    return Fail(Code::kInvalidArgument,
                "'{}' was sharded for the engine '{}', wanted tensorrt: shard it with --engine tensorrt",
                version.string(), plan.engine);
  }
  DropDamagedProbe(plan, version);
  TRY(plan::VerifyArtifacts(plan, version));
  return plan;
}

// Every step needs the ones before.
class ModelBuild {
 public:
  ModelBuild(const BuildOptions& options, fs::path version)
      : options_(options), version_(std::move(version)) {}

  Result<BuiltModel> Run() {
    const auto start = std::chrono::steady_clock::now();
    TRY_ASSIGN(const UniqueFd lock, LockVersion(version_));
    TRY_ASSIGN(sharded_, ReadSharded(version_));
    TRY_ASSIGN(profiles_, MakeProfiles(sharded_, options_.profiles));
    TRY_ASSIGN(const EngineBuilder builder,
               FindEngineBuilder(options_.builder, !options_.capabilities.empty(), options_.library));
    // Made beside the model and removed whatever happens; the files leave it when all are done.
    TRY_ASSIGN(const StagedDirectory scratch, StagedDirectory::Create(version_ / "engines"));
    if (options_.half != DType::kUndefined) {
      TRY_ASSIGN(half_, HalveRanks(sharded_, version_, scratch.path(), options_.half));
    }
    // A model that was named to answer the probe has to: better known before the engines take hours.
    const bool asks_first = !options_.against.empty();
    if (asks_first) TRY(AskForProbe(scratch.path()));
    TRY(BuildEngines(builder, scratch.path()));
    TRY(build::CheckCollectives(sharded_, reports_));
    if (!asks_first) TRY(AskForProbe(scratch.path()));
    TRY_ASSIGN(plan::Plan built, Built(builder, scratch.path()));
    const Result<std::string> timings = ReadFile(TimingsFile(scratch.path()));  // before it goes
    TRY(PutInPlace(built, sharded_, scratch.path(), version_));
    KeepTimings(builder, timings);  // the engines took longer: whatever comes of these, they are in place
    const bool listed = std::all_of(reports_.begin(), reports_.end(),
                                    [](const build::RankReport& report) { return report.layers_listed; });
    const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
    return BuiltModel{std::move(built), version_,      std::move(half_),
                      listed,           taken.count(), std::move(warnings_)};
  }

 private:
  build::RankRequest Request(size_t rank, const EngineBuilder& builder, const fs::path& scratch) const {
    build::RankRequest request;
    request.model = fs::absolute(half_ ? half_->models[rank] : version_ / sharded_.ranks[rank].model.file);
    request.engine = fs::absolute(scratch / EngineFile(rank));
    request.libraries = builder.libraries;
    request.compute_capabilities = options_.capabilities;
    request.tf32 = !options_.no_tf32;
    for (const plan::Profile& profile : profiles_)
      request.profiles.push_back(build::OfOneRank(profile, sharded_));
    request.verbose = options_.verbose;
    std::error_code error;
    if (fs::exists(options_.timing_cache, error)) request.timing_cache = fs::absolute(options_.timing_cache);
    if (rank == 0) request.next_timing_cache = fs::absolute(TimingsFile(scratch));
    return request;
  }

  static fs::path TimingsFile(const fs::path& scratch) { return scratch / "timing_cache"; }

  Result<void> BuildEngines(const EngineBuilder& builder, const fs::path& scratch) {
    std::vector<build::RankRequest> requests;
    for (size_t r = 0; r < sharded_.ranks.size(); ++r) requests.push_back(Request(r, builder, scratch));
    const BuildSchedule schedule = ScheduleFor(builder, requests.size(), options_.jobs, options_.library);
    ProgressBar bar(options_.shows_progress());
    const auto show = [&](size_t done) {
      bar.Show("building ranks", static_cast<double>(done) / static_cast<double>(requests.size()));
    };
    TRY_ASSIGN(reports_, BuildRanks(builder.program, requests, fs::absolute(scratch), schedule, show));
    return {};
  }

  Result<void> AskForProbe(const fs::path& scratch) {
    TRY_ASSIGN(BuildProbe asked, ProbeOf(sharded_, version_, profiles_, options_, scratch));
    probe_ = std::move(asked.probe);
    if (!asked.reason.empty()) warnings_.push_back("no probe is recorded: " + asked.reason);
    return {};
  }

  Result<plan::Plan> Built(const EngineBuilder& builder, const fs::path& scratch) const {
    plan::Plan plan = sharded_;
    plan::Build build;
    build.library = builder.name == "tensorrt" ? "tensorrt" : "tensorrt_rtx";
    build.version = reports_.front().version;
    build.compute_capabilities = reports_.front().compute_capabilities;
    build.tf32 = !options_.no_tf32;
    build.half = options_.half;
    build.profiles = profiles_;
    for (size_t r = 0; r < plan.ranks.size(); ++r) {
      plan::RankPlan& rank = plan.ranks[r];
      build.sources.push_back({std::move(rank.model), std::move(rank.weights)});
      rank.weights.clear();
      TRY_ASSIGN(rank.model, ArtifactOf(scratch, EngineFile(r)));
    }
    plan.build = std::move(build);
    if (half_) plan.collectives = half_->collectives;
    plan.probe = probe_;
    return plan;
  }

  // The ranks' engines are made of the same layers: rank 0's timings serve all. A file that the library did
  // not take may be anything.
  void KeepTimings(const EngineBuilder& builder, const Result<std::string>& timings) {
    for (size_t r = 1; r < reports_.size(); ++r) {
      if (const std::string& why = reports_[r].timing_cache_error; !why.empty())
        warnings_.push_back(fmt::format("rank {} measured without rank 0's timings: {}", r, why));
    }
    if (options_.timing_cache.empty()) return;
    if (!builder.measures) {
      warnings_.emplace_back("--timing-cache has no effect: TensorRT-RTX measures nothing when it builds");
      return;
    }
    std::string why = reports_.front().timing_cache_error;
    if (const Result<void> kept = why.empty() ? WriteTimings(timings) : Result<void>(); !kept)
      why = kept.error().message;
    if (!why.empty())
      warnings_.push_back(fmt::format("timing cache '{}' stays as it is: {}", options_.timing_cache, why));
  }

  Result<void> WriteTimings(Result<std::string> timings) const {
    TRY_ASSIGN(const std::string bytes, std::move(timings));
    return WriteFileAtomically(options_.timing_cache, bytes);
  }

  const BuildOptions& options_;
  const fs::path version_;
  plan::Plan sharded_;
  std::vector<plan::Profile> profiles_;
  std::optional<HalfRanks> half_;
  std::vector<build::RankReport> reports_;
  std::optional<plan::Probe> probe_;
  std::vector<std::string> warnings_;
};

}  // namespace

Result<BuiltModel> BuildModel(const BuildOptions& options) {
  TRY_ASSIGN(fs::path version, FindVersion(options.model));
  return ModelBuild(options, std::move(version)).Run();
}

}  // namespace tessera::cli
