#include "tessera/engine/openvino/openvino_engine.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tessera/base/cores.h"
#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/comm/inproc/inproc_group.h"
#include "tessera/engine/openvino/mapped_pages.h"
#include "tessera/engine/openvino/rank_model.h"
#include "tessera/engine/openvino/session.h"
#include "tessera/engine/threaded_rank_group.h"

namespace tessera::engine {
namespace {

int ThreadsPerRank(const OpenVinoOptions& options, int world_size) {
  if (options.threads_per_rank > 0) return options.threads_per_rank;
  return std::max(1, UsableCores() / world_size);
}

bool HasFreeDimensions(const std::vector<TensorSpec>& specs) {
  return std::any_of(specs.begin(), specs.end(),
                     [](const TensorSpec& spec) { return !IsStatic(spec.shape); });
}

// The ranks whose warm-up failed, of a model with free dimensions: not every one takes our sizes for them.
class WarmUps {
 public:
  void Refuse(Rank rank) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    refused_.insert(rank);
  }

  // Whether `error`, the first of all ranks, is that of a warm-up: then the model itself may be well.
  bool Caused(const Error& error) EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return error.code != Code::kDeadline && refused_.count(Rank{error.rank}) > 0;
  }

 private:
  Mutex mutex_;
  std::set<Rank> refused_ GUARDED_BY(mutex_);
};

class OpenVinoEngine final : public Engine {
 public:
  explicit OpenVinoEngine(OpenVinoOptions options) : options_(std::move(options)) {
    if (!options_.make_communicators) options_.make_communicators = comm::CreateInprocGroup;
  }

  std::string_view name() const override { return "openvino"; }
  Result<std::unique_ptr<RankGroup>> Load(const plan::Plan& plan, const std::filesystem::path& directory,
                                          Deadline deadline) override;

 private:
  // Without `warm_ups` nothing is warmed up.
  Result<std::unique_ptr<RankGroup>> LoadGroup(const plan::Plan& plan, const std::filesystem::path& directory,
                                               Deadline deadline, const std::shared_ptr<WarmUps>& warm_ups);

  OpenVinoOptions options_;
};

Result<std::unique_ptr<RankGroup>> OpenVinoEngine::LoadGroup(const plan::Plan& plan,
                                                             const std::filesystem::path& directory,
                                                             Deadline deadline,
                                                             const std::shared_ptr<WarmUps>& warm_ups) {
  const int threads = ThreadsPerRank(options_, plan.world_size());
  // By value: a thread that is left behind after the deadline still uses them.
  auto make_session = [plan, directory, threads, warm_ups](
                          comm::Communicator& end, Deadline by) -> Result<std::unique_ptr<RankSession>> {
    TRY_ASSIGN(openvino::RankModel model, openvino::LoadRankModel(plan, directory, end, threads));
    const bool warm_up = warm_ups != nullptr && model.takes_zeros;  // the same on all ranks
    TRY_ASSIGN(std::unique_ptr<RankSession> session, openvino::MakeSession(std::move(model)));
    if (!warm_up) return session;
    Result<void> warmed = openvino::WarmUp(*session, plan, end.rank(), by);
    if (warmed) return session;
    if (HasFreeDimensions(session->inputs())) warm_ups->Refuse(end.rank());
    return Forward(std::move(warmed));
  };
  TRY_ASSIGN(auto ends, options_.make_communicators(plan.world_size()));
  return MakeThreadedRankGroup(std::move(ends), make_session, deadline);
}

Result<std::unique_ptr<RankGroup>> OpenVinoEngine::Load(const plan::Plan& plan,
                                                        const std::filesystem::path& directory,
                                                        Deadline deadline) {
  if (plan.ranks.empty()) return Fail(Code::kInvalidArgument, "the plan has no ranks");
  auto warm_ups = std::make_shared<WarmUps>();
  Result<std::unique_ptr<RankGroup>> group = LoadGroup(plan, directory, deadline, warm_ups);
  if (!group && warm_ups->Caused(group.error())) {
    TESSERA_LOG(kInfo, "model '{}' starts cold, its first request will be slow: {}", plan.model_name,
                group.error().ToString());
    group = LoadGroup(plan, directory, deadline, nullptr);
  }
  if (group) openvino::ReleaseMappedPages(directory);
  return group;
}

}  // namespace

std::unique_ptr<Engine> MakeOpenVinoEngine(OpenVinoOptions options) {
  return std::make_unique<OpenVinoEngine>(std::move(options));
}

}  // namespace tessera::engine
