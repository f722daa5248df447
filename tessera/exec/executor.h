// Runs requests on a loaded model: gives every rank its part of the inputs, runs all ranks, puts the outputs
// together.
#pragma once

#include <chrono>
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

struct Options {
  // Longest time that one step may take when the caller's deadline is later.
  std::chrono::milliseconds step_limit{60'000};
  std::chrono::milliseconds load_limit{600'000};
  // Compare every file with the plan's sha256 before loading: about 1 s per GB.
  bool verify_files = true;
  // Try the ranks whenever they are loaded, see probe.h.
  bool probe = true;
  // The model of a directory without plan.json: the file of each rank, which gets the inputs whole; the
  // answer is rank 0's.
  std::vector<std::string> model_files{"model.onnx"};
  // Called with false when the ranks have failed and are loaded anew, with true when they are there again.
  // From any thread, until the executor is gone.
  std::function<void(bool ready)> on_ready{};
};

// One loaded model. Thread-safe; calls of Infer are served one at a time in order of arrival, those of Start
// as many at a time as steps_in_flight() tells.
class Executor {
 public:
  // Loads the model in `directory` (plan.json, or a lone model file as one rank) with `engine`, which must
  // outlive the executor. Errors: kNotFound, kInvalidArgument (a file and its content, against the plan;
  // an answer, see probe.h), kUnsupported, kDeadline.
  static Result<std::unique_ptr<Executor>> Create(const std::filesystem::path& directory,
                                                  engine::Engine& engine, const Options& options = {});
  // The same for a plan that is at hand; its files are in `directory`, and not verified.
  static Result<std::unique_ptr<Executor>> Create(plan::Plan plan, const std::filesystem::path& directory,
                                                  engine::Engine& engine, const Options& options = {});
  virtual ~Executor() = default;  // blocks until what was started is done

  // Global names, types and shapes; kDynamic where free.
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  virtual const plan::Plan& plan() const = 0;
  // The largest first dimension that the engines take of every input where it is free; nullopt: no limit is
  // known.
  virtual std::optional<int64_t> max_rows() const = 0;

  // Runs one request; blocks until done or `deadline`. `inputs` in the order of inputs(), not touched after
  // return. Errors: kInvalidArgument (a shape or type misfit, nothing was run, the line names tensor, got and
  // wanted), kDeadline, kPeerLost and what a rank's engine reports; after one of those the ranks are loaded
  // anew before the next request is served (kUnavailable if that fails).
  virtual Result<InferReport> Infer(std::span<const TensorView> inputs, OutputTarget& outputs,
                                    Deadline deadline) = 0;

  // How many requests that were given to Start run at the same time: one computes while others' data travels.
  virtual int steps_in_flight() const = 0;
  // Called exactly once, from this call of Start or from a thread of the engine; must not call Start or
  // Infer, nor block for long. Afterwards the request's memory is not touched any more.
  using Answer = std::function<void(Result<InferReport>)>;
  // As Infer, but returns when the ranks' work is issued, and gives the answer to `done`. Blocks until that
  // can be: while as many are in flight as may be; while the ranks are loaded anew, for Options::step_limit,
  // which the step itself has from then on. What `inputs` and `outputs` refer to stays until `done`; requests
  // that go well are done in the order in which they were started. A failure of the ranks fails all that are
  // in flight.
  virtual void Start(std::span<const TensorView> inputs, OutputTarget& outputs, Answer done) = 0;
};

}  // namespace tessera::exec
