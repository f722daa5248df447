#include "tessera/engine/tensorrt/rank_set.h"

#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/step_check.h"

namespace tessera::engine {
namespace {

constexpr std::chrono::seconds kDrainLimit{5};

// Host bytes that a step goes through pinned memory for, and in how many pieces at most.
struct HostNeed {
  size_t bytes = 0;
  size_t pieces = 0;
  void Add(size_t more) {
    bytes += more;
    ++pieces;
  }
};

}  // namespace

Result<std::unique_ptr<RankSet>> RankSet::Create(std::vector<std::shared_ptr<RankRunner>> runners,
                                                 std::shared_ptr<comm::NcclGroup> group,
                                                 std::unique_ptr<RankThreads> threads,
                                                 const TensorRtOptions& options) {
  TRY_ASSIGN(StepCompletion completion, StepCompletion::Create(static_cast<int>(runners.size())));
  return std::unique_ptr<RankSet>(
      new RankSet(std::move(runners), std::move(group), std::move(threads), options, std::move(completion)));
}

RankSet::RankSet(std::vector<std::shared_ptr<RankRunner>> runners, std::shared_ptr<comm::NcclGroup> group,
                 std::unique_ptr<RankThreads> threads, const TensorRtOptions& options, StepCompletion completion)
    : options_(options),
      group_(std::move(group)),
      runners_(std::move(runners)),
      completion_(std::move(completion)),
      threads_(std::move(threads)) {
  for (const auto& runner : runners_) streams_.push_back(&runner->stream());
}

RankSet::~RankSet() { DeviceOrder::OfProcess().Leave(this); }

Result<StepReport> RankSet::Run(const Step& step) {
  if (std::optional<Error> failed = failure()) return tl::unexpected<Error>(*std::move(failed));
  TRY(CheckStep(step, world_size(), SpecsOf(tensors().inputs)));
  StepShape shape = ShapeOf(step, group_ ? options_.gather_from : SIZE_MAX);
  std::shared_ptr<StepPlan> plan = FindPlan(shape);
  if (!plan) {
    TRY_ASSIGN(const int profile, CommonProfile(shape));
    auto made = MakePlan(std::move(shape), profile, &step, step.deadline);
    if (!made) {
      Fatal(made.error());
      return tl::unexpected<Error>(*failure());
    }
    plan = *made;
  }
  // From here on some ranks may have started: an error that is not the sink's leaves them out of step.
  std::optional<Error> sink_error;
  Result<void> ran = RunPlan(plan, step, sink_error);
  if (!ran) {
    Fatal(ran.error());
    return tl::unexpected<Error>(*failure());
  }
  if (sink_error) return tl::unexpected<Error>(*std::move(sink_error));
  return Report();
}

Result<void> RankSet::RunPlan(const std::shared_ptr<StepPlan>& plan, const Step& step,
                              std::optional<Error>& sink_error) {
  completion_.Begin();
  const bool known = !plan->HasDynamicOutputs();
  Places places;
  if (known) places = PlaceAll(step, plan->outputs, sink_error);
  TRY(Stage(*plan, step, places));
  {
    TRY_ASSIGN(DeviceOrder::Turn turn, DeviceOrder::OfProcess().Enter(this, streams_));
    TRY(SendInputs(*plan, step));
    TRY(LaunchAll(plan, step.deadline));
    if (known) TRY(Collect(places));
  }
  if (!known) {
    TRY_ASSIGN(std::vector<std::vector<Shape>> shapes, FinalShapes(*plan, step.deadline));
    places = PlaceAll(step, shapes, sink_error);
    TRY(StageOutputs(places));
    TRY(Collect(places));
  }
  TRY(completion_.Wait(streams_, step.deadline, [this] { return Check(); }));
  host_.Finish();
  return {};
}

RankSet::Places RankSet::PlaceAll(const Step& step, const std::vector<std::vector<Shape>>& shapes,
                                  std::optional<Error>& sink_error) const {
  Places places(shapes.size());
  for (size_t r = 0; r < shapes.size(); ++r) {
    for (size_t i = 0; i < shapes[r].size(); ++i) {
      const TensorSpec& spec = tensors().outputs[i].spec;
      Region place;
      if (!sink_error) {
        auto place_one = [&]() -> Result<Region> {
          TRY_ASSIGN(Region given, step.sink->Place(Rank(static_cast<int>(r)), static_cast<int>(i), spec.type,
                                                    shapes[r][i]));
          TRY(CheckPlace(given, spec, spec.type, shapes[r][i]));
          return given;
        };
        Result<Region> given = place_one();
        if (given) {
          place = *given;
        } else {
          sink_error = given.error();
        }
      }
      places[r].push_back(place);
    }
  }
  return places;
}
