#include "tessera/cli/build_probe.h"

#include <algorithm>
#include <memory>

#include "tessera/cli/probe_record.h"
#include "tessera/cli/progress.h"
#include "tessera/cli/whole_model.h"
#include "tessera/engine/registry/registry.h"
#include "tessera/exec/executor.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

Result<std::vector<double>> TolerancesOf(const plan::Plan& sharded, const fs::path& version,
                                         const BuildOptions& options) {
  TRY_ASSIGN(plan::Arithmetic arithmetic, ArithmeticOf(version / sharded.ranks.front().model.file));
  arithmetic.tf32 = !options.no_tf32;
  arithmetic.half = arithmetic.half || options.half == DType::kFloat16;
  arithmetic.bfloat16 = arithmetic.bfloat16 || options.half == DType::kBFloat16;
  return ProbeTolerances(sharded, arithmetic, options.probe_tolerance);
}

bool Serves(const plan::Probe& probe, const plan::Plan& sharded, const std::vector<plan::Profile>& profiles) {
  return profiles.empty() || std::any_of(profiles.begin(), profiles.end(), [&](const auto& profile) {
           return TakesSizes(profile, sharded, probe.inputs);
         });
}

Result<std::unique_ptr<Runner>> LoadReference(const plan::Plan& sharded, const fs::path& version,
                                              const std::string& against, engine::Engine& engine) {
  if (!against.empty()) {
    TRY(CheckSource(sharded, against));
    return LoadWholeModel(sharded, against, engine);
  }
  exec::Options untried;
  untried.probe = false;
  TRY_ASSIGN(auto executor, exec::Executor::Create(sharded, version, engine, untried));
  return MakeRunner(std::move(executor));
}

Result<plan::Probe> AskReference(const plan::Plan& sharded, const fs::path& version,
                                 const std::vector<plan::Profile>& profiles, std::vector<double> tolerances,
                                 const BuildOptions& options, const fs::path& scratch) {
  const bool whole = !options.against.empty();
  const ProbeOrder order{whole ? "model" : "ranks", std::move(tolerances), ProbeSizes(sharded, profiles),
                         whole};
  ProgressBar bar(options.shows_progress());
  bar.Show("recording the probe", 0);
  TRY_ASSIGN(const std::unique_ptr<engine::Engine> engine, engine::MakeEngine("openvino"));
  TRY_ASSIGN(const std::unique_ptr<Runner> reference,
             LoadReference(sharded, version, options.against, *engine));
  return RecordProbe(sharded, *reference, order, scratch);
}

}  // namespace

Result<BuildProbe> ProbeOf(const plan::Plan& sharded, const fs::path& version,
                           const std::vector<plan::Profile>& profiles, const BuildOptions& options,
                           const fs::path& scratch) {
  if (options.no_probe) return BuildProbe{};
  TRY_ASSIGN(std::vector<double> tolerances, TolerancesOf(sharded, version, options));
  if (sharded.probe && options.against.empty() && Serves(*sharded.probe, sharded, profiles)) {
    plan::Probe again = *sharded.probe;
    again.tolerances = std::move(tolerances);
    return BuildProbe{std::move(again), ""};
  }
  plan::Plan untried = sharded;
  untried.probe.reset();
  auto probe = AskReference(untried, version, profiles, std::move(tolerances), options, scratch);
  if (probe) return BuildProbe{*std::move(probe), ""};
  if (!options.against.empty()) return Forward(std::move(probe));
  return BuildProbe{std::nullopt, std::move(probe).error().message};
}

}  // namespace tessera::cli
