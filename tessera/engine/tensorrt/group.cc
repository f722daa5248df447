#include "tessera/engine/tensorrt/group.h"

#include "tessera/engine/named_thread.h"

namespace tessera::engine {

Result<std::unique_ptr<TensorRtGroup>> TensorRtGroup::Create(std::unique_ptr<RankSet> ranks) {
  std::unique_ptr<TensorRtGroup> group(new TensorRtGroup(std::move(ranks)));
  TRY_ASSIGN(group->thread_, StartNamedThread("tessera-launch", [self = group.get()] { self->Serve(); }));
  return group;
}

TensorRtGroup::~TensorRtGroup() {
  {
    MutexLock lock(mutex_);
    stop_ = true;
    if (order_) ranks_->Abort(Error{Code::kCancelled, "the model is being unloaded", -1, __FILE__, __LINE__});
    changed_.notify_all();
  }
  if (thread_.joinable()) thread_.join();
}

void TensorRtGroup::Submit(const Step& step, Completion done) {
  MutexLock lock(mutex_);
  order_ = Order{&step, std::move(done)};
  changed_.notify_all();
}

Result<StepReport> TensorRtGroup::Run(const Step& step) {
  MutexLock lock(step_mutex_);
  return ranks_->Run(step);
}

void TensorRtGroup::Serve() {
  while (true) {
    std::optional<Order> order;
    {
      MutexLock lock(mutex_);
      changed_.wait(lock.std_lock(),
                    [this]() NO_THREAD_SAFETY_ANALYSIS { return stop_ || order_.has_value(); });
      if (!order_) return;
      order = std::exchange(order_, std::nullopt);
    }
    Result<StepReport> report = Run(*order->step);
    order->done(std::move(report));
  }
}

std::optional<StepTimes> LastStepTimes(const RankGroup& group) {
  const auto* ours = dynamic_cast<const TensorRtGroup*>(&group);
  return ours == nullptr ? std::nullopt : std::optional(ours->times());
}

}  // namespace tessera::engine
