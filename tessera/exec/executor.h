// Runs requests on a loaded model: gives every rank its part of the inputs, runs all ranks, puts the outputs
// together.
#pragma once

#include <chrono>
#include <concepts>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/engine/rank_group.h"
#include "tessera/plan/plan.h"

namespace tessera::exec {

// Where a model output goes once its global shape is known.
class OutputTarget {
 public:
  virtual ~OutputTarget() = default;
  // Dense memory for output `index` (as in Executor::outputs()), valid until Infer returns or Start's `done`
  // is called. data == nullptr: not wanted. Called at most once per output and request, one call at a time,
  // from any thread.
  virtual Result<Region> Place(int index, DType type, const Shape& shape) = 0;
};

struct InferReport {
  std::vector<std::chrono::nanoseconds> rank_time;  // each rank's own compute
  std::chrono::nanoseconds total{0};                // of the whole Infer
};

inline constexpr std::chrono::milliseconds kHangGrace{10'000};

struct Options {
  // Longest time that one step may take when the caller's deadline is later.
  std::chrono::milliseconds step_limit{60'000};
  std::chrono::milliseconds load_limit{600'000};
  // How long behind its time a step may keep the thread that issues it. One that keeps it longer hangs in it:
  // the ranks are given up, and that request is not answered unless its thread comes back.
  std::chrono::milliseconds hang_grace = kHangGrace;
  // How long the end of the executor waits for ranks that are being loaded, or do not end; how much longer
  // than load_limit loading may take before its thread is left to itself.
  std::chrono::milliseconds end_limit{20'000};
  // Compare every file with the plan's sha256 before loading: about 1 s per GB.
  bool verify_files = true;
  // Try the ranks whenever they are loaded, see probe.h.
  bool probe = true;
  // The model of a directory without plan.json: the file of each rank, which gets the inputs whole; the
  // answer is rank 0's.
  std::vector<std::string> model_files{"model.onnx"};
  // Called with false when the ranks have failed and are loaded anew, with true when they are there again or
  // the executor ends meanwhile. From any thread, until the executor is gone. Must not block.
  std::function<void(bool ready)> on_ready{};
};

// What loads an executor's ranks: shared with a load that hangs and is left behind, or made to outlive that.
class SharedEngine {
 public:
  template <std::derived_from<engine::Engine> Any>
  SharedEngine(std::shared_ptr<Any> engine) : engine_(std::move(engine)) {}                // NOLINT: converts
  SharedEngine(engine::Engine& outlives) : engine_(std::shared_ptr<void>(), &outlives) {}  // NOLINT: likewise
  engine::Engine& operator*() const { return *engine_; }
  engine::Engine* operator->() const { return engine_.get(); }

 private:
  std::shared_ptr<engine::Engine> engine_;
};

// One loaded model. Thread-safe; calls of Infer are served one at a time in order of arrival, those of Start
// as many at a time as steps_in_flight() tells.
class Executor {
 public:
  // Loads the model in `directory` (plan.json, or a lone model file as one rank) with `engine`. Errors:
  // kNotFound, kInvalidArgument (a file and its content, against the plan; an answer, see probe.h),
  // kUnsupported, kDeadline.
  static Result<std::unique_ptr<Executor>> Create(const std::filesystem::path& directory,
                                                  const SharedEngine& engine, const Options& options = {});
  // The same for a plan that is at hand; its files are in `directory`, and not verified.
  static Result<std::unique_ptr<Executor>> Create(plan::Plan plan, const std::filesystem::path& directory,
                                                  const SharedEngine& engine, const Options& options = {});
  // Blocks until what was started is done, but for a request whose thread hangs (Options::hang_grace), and
  // for a bounded time for what else hangs.
  virtual ~Executor() = default;

  // Global names, types and shapes; kDynamic where free.
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  virtual const plan::Plan& plan() const = 0;
  // The largest first dimension that the engines take of every input where it is free; nullopt: no limit is
  // known.
  virtual std::optional<int64_t> max_rows() const = 0;

  // False from losing the ranks until they are loaded anew. Does not block.
  virtual bool ready() const = 0;

  // Runs one request; blocks until done or `deadline`. `inputs` in the order of inputs(), not touched after
  // return. Errors: kInvalidArgument (a shape or type misfit, nothing was run, the line names tensor, got and
  // wanted), kDeadline, kPeerLost and what a rank's engine reports; after one of those the ranks are loaded
  // anew before the next request is served (kUnavailable if that fails).
  virtual Result<InferReport> Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                                    Deadline deadline) = 0;

  // How many requests that were given to Start run at the same time: one computes while others' data travels.
  virtual int steps_in_flight() const = 0;
  // Called exactly once, from this call of Start or from a thread of the executor or the engine; must not
  // call Start or Infer, nor block for long. Afterwards the request's memory is not touched any more.
  using Answer = std::function<void(Result<InferReport>)>;
  // As Infer, but a thread of the executor issues the ranks' work, and `done` gets the answer: this one does
  // not hang where a device's driver does. Blocks until that thread can: while as many are in flight as may
  // be, or another is being issued. Ranks that are loaded anew are waited for as long as a step may take, but
  // by the first request only; the step itself has Options::step_limit from then on. What `inputs` and
  // `outputs` refer to stays until `done`; requests that go well are done in the order in which they were
  // started. A failure of the ranks fails all that are in flight.
  virtual void Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) = 0;
};

}  // namespace tessera::exec
