// Sessions for tests: a rank does what the test's function says.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/engine/rank_session.h"

namespace tessera::engine {

// What a session can use while it runs a step.
struct ScriptedStep {
  comm::Communicator& end;
  const RankInputs& inputs;
  OutputSink& sink;
  Deadline deadline;
  // Blocks until the session is cancelled: a rank that hangs outside of any collective.
  std::function<void()> hang;
};
using Script = std::function<Result<void>(const ScriptedStep&)>;

class ScriptedSession final : public RankSession {
 public:
  ScriptedSession(comm::Communicator& end, std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs,
                  Script script)
      : end_(end), inputs_(std::move(inputs)), outputs_(std::move(outputs)), script_(std::move(script)) {}

  const std::vector<TensorSpec>& inputs() const override { return inputs_; }
  const std::vector<TensorSpec>& outputs() const override { return outputs_; }

  Result<void> Run(const RankInputs& inputs, OutputSink& sink, Rank /*rank*/, Deadline deadline) override {
    return script_({end_, inputs, sink, deadline, [this] { Hang(); }});
  }

  void Cancel() noexcept override {
    {
      MutexLock lock(mutex_);
      cancelled_ = true;
    }
    changed_.notify_all();
  }

 private:
  void Hang() {
    MutexLock lock(mutex_);
    while (!cancelled_) lock.Wait(changed_);
  }

  comm::Communicator& end_;
  std::vector<TensorSpec> inputs_;
  std::vector<TensorSpec> outputs_;
  Script script_;
  Mutex mutex_;
  std::condition_variable changed_;
  bool cancelled_ GUARDED_BY(mutex_) = false;
};

// A factory of sessions with these tensors, all running `script`.
inline SessionFactory Scripted(std::vector<TensorSpec> inputs, std::vector<TensorSpec> outputs,
                               Script script) {
  return [=](comm::Communicator& end, Deadline /*deadline*/) -> Result<std::unique_ptr<RankSession>> {
    return std::make_unique<ScriptedSession>(end, inputs, outputs, script);
  };
}

// One all_reduce of one float: the smallest step in which ranks depend on each other.
inline Result<void> SumOneFloat(const ScriptedStep& step) {
  float value = 1;
  const std::span<float> one(&value, 1);
  return step.end.Run({CollectiveOp::kAllReduce, ReduceOp::kSum, Rank{0}, DType::kFloat32},
                      std::as_bytes(one), std::as_writable_bytes(one), step.deadline);
}

}  // namespace tessera::engine
