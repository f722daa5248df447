// The engine port: a model loaded on all its ranks, run one step at a time. The adapter decides how the ranks
// run: a thread each (CPU), one thread that launches every rank's CUDA graph (GPU), other processes (MPI).
#pragma once

#include <chrono>
#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <string_view>
#include <vector>

#include "tessera/base/deadline.h"
#include "tessera/base/memory.h"
#include "tessera/base/tensor.h"
#include "tessera/engine/mover.h"
#include "tessera/plan/plan.h"

namespace tessera::engine {

// What one rank is given in one step, in the order of RankGroup::inputs(); shapes are the rank's own (local).
struct RankInputs {
  std::vector<TensorView> tensors;
};

// Tells where an output goes once its shape is known.
class OutputSink {
 public:
  virtual ~OutputSink() = default;

  // Memory for output `index` (as in RankGroup::outputs()) of `rank`, of the local `shape`; it stays valid
  // until the step completes. A region with data == nullptr: nobody wants this rank's copy. Called at most
  // once per rank and output and step, from any thread, for different ranks at the same time. An error fails
  // the step, not the group.
  virtual Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) = 0;
};

struct Step {
  std::vector<RankInputs> ranks;  // world size entries
  OutputSink* sink = nullptr;
  Deadline deadline = Deadline::Never();
};

// How long each rank computed (its engine's own time, collectives included).
struct StepReport {
  std::vector<std::chrono::nanoseconds> rank_time;
};

// No adapter takes more: what waits behind the second step gains little, and is memory that waits.
inline constexpr int kMostStepsInFlight = 4;

class RankGroup {
 public:
  virtual ~RankGroup() = default;  // aborts and joins; blocks for a bounded time

  virtual int world_size() const = 0;
  // What the engines declare, the same on every rank; shapes local, kDynamic where free.
  virtual const std::vector<TensorSpec>& inputs() const = 0;
  virtual const std::vector<TensorSpec>& outputs() const = 0;
  // By input, the largest shape that an engine takes, of its profile with most rows. Empty: none is known.
  virtual std::vector<Shape> largest_inputs() const { return {}; }

  // By input, the size that the ranks' engines are made fastest for, and have run. Empty: none is told.
  virtual std::vector<Shape> usual_inputs() const { return {}; }

  // How many steps may be under way at the same time: submitted, and `done` not called.
  virtual int steps_in_flight() const { return 1; }

  // Starts one step on every rank and returns; blocks as long as it takes to issue the work of a step and,
  // where memory or graphs are to be made for it, until the steps before have ended. `done` is called exactly
  // once, from a thread of the adapter or from Submit itself (a step that was refused, or had to run there),
  // when every rank has finished or failed and no longer touches the step's memory: with the report, or with
  // the error of the rank that failed first (Error::rank says which). `step` stays alive until then. Steps
  // under way end in the order in which they were submitted; a failure fails all of them. Where a device's
  // driver hangs that is told some seconds behind the deadline, whatever the device still does. A step behind
  // another has its time from when that one ended. Where steps_in_flight() is 1 the next may be submitted
  // from within `done` on, else not there. `done` must not block for long, nor destroy the group.
  using Completion = std::function<void(Result<StepReport>)>;
  virtual void Submit(const Step& step, Completion done) = 0;

  // One step from Submit to completion, blocking, when the steps before have ended. An adapter whose steps
  // need no thread of their own runs them in the caller's: a GPU step costs 10 us of host time, and a wake-up
  // of a thread 20.
  virtual Result<StepReport> Run(const Step& step) {
    auto report = std::make_shared<std::promise<Result<StepReport>>>();
    std::future<Result<StepReport>> ready = report->get_future();
    Submit(step, [report](Result<StepReport> result) { report->set_value(std::move(result)); });
    return ready.get();
  }

  // Ends the steps in flight on every rank with `reason` and makes the group unusable. Any thread.
  virtual void Abort(const Error& reason) noexcept = 0;

  // False once a step failed in a way that leaves ranks out of step (any error but those of the checks made
  // before a rank started, of the step's sink, and of a rank without peers): the owner builds a new group.
  virtual bool usable() const noexcept = 0;
};

// Loads models; one per kind of engine ("openvino", "tensorrt").
class Engine {
 public:
  virtual ~Engine() = default;
  virtual std::string_view name() const = 0;

  // Loads every rank of `plan` from `directory` (that of plan.json), in parallel, and warms it up. Blocks.
  // Errors: kNotFound / kInvalidArgument (a file, its content), kUnsupported (this build, this machine),
  // kDeadline.
  virtual Result<std::unique_ptr<RankGroup>> Load(const plan::Plan& plan,
                                                  const std::filesystem::path& directory,
                                                  Deadline deadline) = 0;

  // Null: the ranks take host memory only.
  virtual Result<std::unique_ptr<Mover>> MakeMover() { return nullptr; }
};

}  // namespace tessera::engine
