// One instance of a model: an executor of its own, and the requests that the server gives it.
#pragma once

#include <atomic>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "tessera/exec/executor.h"
#include "tessera/triton/model.h"
#include "tessera/triton/round.h"
#include "tessera/triton/rounds.h"
#include "tessera/triton/step_watch.h"

namespace tessera::triton {

// Where the engine takes several steps at a time, Execute returns when the last step is handed over: it is
// issued by a thread of the executor's, and requests are answered and released by one of the engine's, while
// the server brings the next ones.
class Instance {
 public:
  // `model` outlives the instance. Errors: those of loading.
  static Result<std::unique_ptr<Instance>> Create(TRITONBACKEND_ModelInstance* instance, Model& model);
  ~Instance();  // blocks until every request is released

  // kUnavailable while the ranks are down. Does not block.
  Result<void> CheckReady() const;

  // Answers and releases every one of `requests`, some of them later. Blocks while as many steps are under
  // way as may be. One call at a time. Throws only before it has taken any.
  void Execute(std::span<TRITONBACKEND_Request* const> requests);

 private:
  Instance(TRITONBACKEND_ModelInstance* instance, Model& model, LoadedModel loaded, StepWatch slow,
           std::vector<Counter>& rank_times)
      : instance_(instance),
        model_(model),
        loaded_(std::move(loaded)),
        slow_(std::move(slow)),
        rank_times_(rank_times),
        signature_(model.signature()) {}

  Result<void> MakeRounds();
  Result<std::unique_ptr<Round>> MakeRound() const;
  Result<Round*> TakeRound();
  Result<void> Serve(std::span<Request> requests, uint64_t exec_start);
  void Refuse(Request& request, const Error& why, uint64_t exec_start) noexcept;
  Result<void> Run(Round& round);
  void Finish(Round& round, Result<exec::InferReport> report) noexcept;
  Result<void> Conclude(Round& round, Result<exec::InferReport> report);
  void Release(Round& round, const Result<void>& done) noexcept;
  void CountFailure(const Error& error);

  TRITONBACKEND_ModelInstance* instance_;
  Model& model_;
  LoadedModel loaded_;
  StepWatch slow_;
  std::vector<Counter>& rank_times_;  // the model's
  Signature signature_;               // the model's, with this instance's device
  std::atomic<uint64_t> last_compute_end_{0};
  Rounds<Round> rounds_;
};

}  // namespace tessera::triton
