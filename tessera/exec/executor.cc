#include "tessera/exec/executor.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "tessera/base/log.h"
#include "tessera/exec/fifo.h"
#include "tessera/exec/gather_sink.h"
#include "tessera/exec/group_keeper.h"
#include "tessera/exec/layout.h"
#include "tessera/exec/model_directory.h"
#include "tessera/exec/probe.h"

namespace tessera::exec {
namespace {

using Clock = std::chrono::steady_clock;

Deadline Sooner(Deadline a, Deadline b) {
  return a.at() < b.at() ? a : b;
}

class GroupExecutor final : public Executor {
 public:
  GroupExecutor(plan::Plan plan, const Options& options) : plan_(std::move(plan)), options_(options) {}

  Result<void> Start(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load);

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }
  const plan::Plan& plan() const override { return plan_; }
  std::optional<int64_t> max_rows() const override { return max_rows_; }
  Result<InferReport> Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                            Deadline deadline) override;

 private:
  Result<engine::StepReport> RunStep(std::vector<engine::RankInputs> parts, OutputTarget& outputs,
                                     Deadline deadline);

  const plan::Plan plan_;
  const Options options_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  std::optional<Layout> layout_;
  std::optional<int64_t> max_rows_;
  std::unique_ptr<GroupKeeper> keeper_;
  Fifo fifo_;  // guards the group that the keeper lends
};

Result<void> GroupExecutor::Start(std::unique_ptr<engine::RankGroup> group, GroupKeeper::Loader load) {
  for (const plan::TensorPlan& input : plan_.inputs) inputs_.push_back(input.spec);
  for (const plan::TensorPlan& output : plan_.outputs) outputs_.push_back(output.spec);
  TRY_ASSIGN(layout_, Layout::Create(plan_, group->inputs(), group->outputs()));
  max_rows_ = layout_->MaxRows(group->largest_inputs());
  TRY_ASSIGN(keeper_, GroupKeeper::Create(std::move(group), std::move(load), options_.on_ready));
  return {};
}

Result<InferReport> GroupExecutor::Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                                         Deadline deadline) {
  const Clock::time_point start = Clock::now();
  TRY_ASSIGN(std::vector<engine::RankInputs> parts, layout_->Split(inputs));
  TRY_ASSIGN(const Fifo::Turn turn, fifo_.Enter(deadline));
  TRY_ASSIGN(engine::StepReport step, RunStep(std::move(parts), outputs, deadline));
  return InferReport{std::move(step.rank_time), Clock::now() - start};
}

Result<engine::StepReport> GroupExecutor::RunStep(std::vector<engine::RankInputs> parts,
                                                  OutputTarget& outputs, Deadline deadline) {
  TRY_ASSIGN(engine::RankGroup * group, keeper_->Acquire(deadline));
  GatherSink sink(*layout_, outputs);
  const engine::Step step{std::move(parts), &sink, Sooner(deadline, Deadline::In(options_.step_limit))};
  if (step.deadline.passed())
    return Fail(Code::kDeadline, "the deadline passed before the ranks could start");
  Result<engine::StepReport> report = group->Run(step);
  if (!group->usable()) {
    if (!report) TESSERA_LOG(kWarning, "the ranks are loaded anew: {}", report.error().ToString());
    keeper_->Renew();
  }
  if (report) TRY(sink.Finish());
  return report;
}

}  // namespace

Result<std::unique_ptr<Executor>> Executor::Create(const std::filesystem::path& directory,
                                                   engine::Engine& engine, const Options& options) {
  TRY_ASSIGN(plan::Plan plan, OpenModelDirectory(directory, options.model_files, options.verify_files));
  return Create(std::move(plan), directory, engine, options);
}

Result<std::unique_ptr<Executor>> Executor::Create(plan::Plan plan, const std::filesystem::path& directory,
                                                   engine::Engine& engine, const Options& options) {
  auto load = [plan, directory, &engine, limit = options.load_limit,
               probe = options.probe]() -> Result<std::unique_ptr<engine::RankGroup>> {
    const Deadline deadline = Deadline::In(limit);
    TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, engine.Load(plan, directory, deadline));
    if (!probe) return group;
    plan::Plan known = plan;
    if (IsMadeUp(known)) Describe(engine, *group, known);
    TRY(ProbeRanks(known, directory, *group, deadline));
    return group;
  };
  TRY_ASSIGN(std::unique_ptr<engine::RankGroup> group, load());
  if (IsMadeUp(plan)) Describe(engine, *group, plan);
  MarkShapeTensors(*group, plan);
  auto executor = std::make_unique<GroupExecutor>(std::move(plan), options);
  TRY(executor->Start(std::move(group), std::move(load)));
  return executor;
}

}  // namespace tessera::exec
