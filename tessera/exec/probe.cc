#include "tessera/exec/probe.h"

#include <algorithm>
#include <cstring>
#include <random>

#include "tessera/base/distance.h"
#include "tessera/base/element.h"
#include "tessera/base/log.h"
#include "tessera/exec/layout.h"
#include "tessera/exec/model_directory.h"
#include "tessera/exec/rank_outputs.h"
#include "tessera/plan/probe_file.h"
#include "tessera/plan/tolerance.h"

namespace tessera::exec {
namespace {

using Kind = plan::Layout::Kind;

// Of floats the largest difference over the largest of `whole`, which `wanted` is a part of; of anything else
// the share of elements that differ.
Result<double> HowFarOff(DType type, Bytes got, Bytes wanted, Bytes whole) {
  if (IsFloat(type) && AccessOf(type)) {
    TRY_ASSIGN(const double distance, LargestDistance(type, got, wanted));
    TRY_ASSIGN(const double magnitude, Magnitude(type, whole));
    return distance / magnitude;
  }
  const auto element = static_cast<size_t>(BitsOf(type)) / 8;
  if (element == 0) return std::equal(got.begin(), got.end(), wanted.begin(), wanted.end()) ? 0.0 : 1.0;
  size_t different = 0;
  for (size_t at = 0; at < got.size(); at += element)
    different += std::memcmp(&got[at], &wanted[at], element) == 0 ? 0 : 1;
  return got.empty() ? 0.0
                     : static_cast<double>(different) /
                           (static_cast<double>(got.size()) / static_cast<double>(element));
}

bool Holds(const plan::Layout& layout, Rank rank) {
  return layout.kind != Kind::kRank || layout.rank == rank;
}

// What `rank` holds of `whole`, dense.
std::vector<std::byte> BytesOfPart(const TensorView& whole, const plan::Layout& layout, Rank rank,
                                   int ranks) {
  ConstRegion from = whole.data;
  if (layout.kind == Kind::kSplit) {
    from =
        Part(whole.data, whole.shape, static_cast<size_t>(BitsOf(whole.type)) / 8, layout.axis, rank, ranks);
  }
  std::vector<std::byte> part(from.bytes());
  CopyHost(from, HostRegion(MutableBytes(part)));
  return part;
}

// One try of a group: its inputs are given, its outputs compared.
class Trial {
 public:
  Trial(const plan::Plan& plan, engine::RankGroup& group) : plan_(plan), group_(group) {}

  Result<void> Run(std::span<const TensorView> inputs, uint64_t most_bytes, Deadline deadline) {
    TRY_ASSIGN(layout_, Layout::Create(plan_, group_.inputs(), group_.outputs()));
    TRY_ASSIGN(std::vector<engine::RankInputs> parts, layout_->Split(inputs));
    outputs_.emplace(group_.world_size(), group_.outputs().size(), most_bytes);
    TRY(group_.Run({std::move(parts), &*outputs_, deadline}));
    return {};
  }

  // `answers` in the order of the plan's outputs.
  Result<void> CompareWith(const std::vector<TensorView>& answers) const {
    for (size_t i = 0; i < layout_->output_count(); ++i) {
      const Layout::Output& output = layout_->output(static_cast<int>(i));
      const auto at = static_cast<size_t>(output.index);
      for (int r = 0; r < group_.world_size(); ++r) {
        if (!Holds(output.plan->layout, Rank{r})) continue;
        TRY(CompareRank(*output.plan, outputs_->at(Rank{r}, i), answers[at], plan_.probe->tolerances[at],
                        Rank{r}));
      }
    }
    return {};
  }

  // Outputs that are equal on all ranks with each other.
  Result<void> CompareRanks() const {
    for (size_t i = 0; i < layout_->output_count(); ++i) {
      const plan::TensorPlan& output = *layout_->output(static_cast<int>(i)).plan;
      const RankOutputs::Output& first = outputs_->at(Rank{0}, i);
      if (output.layout.kind != Kind::kReplicated || !first.kept) continue;
      const TensorView wanted{first.type, first.shape, HostRegion(Bytes(first.bytes))};
      for (int r = 1; r < group_.world_size(); ++r) {
        TRY(CompareRank(output, outputs_->at(Rank{r}, i), wanted, plan::UsualTolerance(first.type), Rank{r}));
      }
    }
    return {};
  }

 private:
  Result<void> CompareRank(const plan::TensorPlan& output, const RankOutputs::Output& got,
                           const TensorView& whole, double tolerance, Rank rank) const {
    const char* against = plan_.probe ? "the recorded answer" : "rank 0's";
    Shape wanted = whole.shape;
    const bool split = output.layout.kind == Kind::kSplit;
    if (split) wanted[static_cast<size_t>(output.layout.axis)] /= group_.world_size();
    if (got.shape != wanted) {
      return Fail(Code::kInvalidArgument, "probe: output '{}' of rank {} is {}, {} is {}", output.spec.name,
                  rank.value(), ToString(got.shape), against, ToString(wanted));
    }
    const std::vector<std::byte> part = BytesOfPart(whole, output.layout, rank, group_.world_size());
    TRY_ASSIGN(const double off, HowFarOff(got.type, got.bytes, part, {whole.data.data, whole.data.bytes()}));
    TESSERA_LOG(kDebug, "probe: output '{}' of rank {} is {:.3g} off {}, tolerance {:g}", output.spec.name,
                rank.value(), off, against, tolerance);
    if (off <= tolerance) return {};
    return Fail(Code::kInvalidArgument,
                "probe: output '{}' of rank {} is {:.3g} off {}, wanted at most {:g}: the ranks do not {}",
                output.spec.name, rank.value(), off, against, tolerance,
                plan_.probe ? "compute this model" : "agree");
  }

  const plan::Plan& plan_;
  engine::RankGroup& group_;
  std::optional<Layout> layout_;
  std::optional<RankOutputs> outputs_;
};

// Dense tensors of the sizes that the group is made fastest for, in the plan's order. Floats are uniform in
// [-1, 1), indexes below their bound, other integers 0, which is an index, too. Empty: they would be too
// large, or nobody knows such sizes.
class RandomInputs {
 public:
  RandomInputs(const plan::Plan& plan, const engine::RankGroup& group) {
    const std::vector<Shape> usual = group.usual_inputs();
    if (usual.empty()) return;
    for (const plan::TensorPlan& input : plan.inputs) {
      const auto at = std::find_if(group.inputs().begin(), group.inputs().end(),
                                   [&](const TensorSpec& spec) { return spec.name == input.spec.name; });
      if (at == group.inputs().end()) return;
      Shape shape = usual[static_cast<size_t>(at - group.inputs().begin())];
      if (input.layout.kind == Kind::kSplit)
        shape[static_cast<size_t>(input.layout.axis)] *= plan.world_size();
      Add(input, shape);
    }
    if (bytes_ > kMostProbedBytes) views_.clear();
  }
  const std::vector<TensorView>& views() const { return views_; }

 private:
  void Add(const plan::TensorPlan& input, const Shape& shape) {
    const uint64_t bytes = BytesOf(input.spec.type, shape).value();
    bytes_ += bytes;
    if (bytes_ > kMostProbedBytes) return;
    std::vector<std::byte>& content = content_.emplace_back(bytes);
    if (const auto access = AccessOf(input.spec.type)) Fill(content, *access, input);
    views_.push_back({input.spec.type, shape, HostRegion(Bytes(content))});
  }

  void Fill(std::vector<std::byte>& content, const ElementAccess& access, const plan::TensorPlan& input) {
    std::uniform_real_distribution<double> floats(-1, 1);
    std::uniform_int_distribution<int64_t> indexes(0, std::max<int64_t>(input.index_bound, 1) - 1);
    for (size_t at = 0; at < content.size(); at += access.bytes) {
      const double value = IsFloat(input.spec.type) ? floats(random_) : static_cast<double>(indexes(random_));
      access.write(&content[at], value);
    }
  }

  std::mt19937_64 random_{1};
  uint64_t bytes_ = 0;
  std::vector<std::vector<std::byte>> content_;
  std::vector<TensorView> views_;
};

// Where the plan has no recorded probe.
Result<void> CompareReplicated(const plan::Plan& plan, engine::RankGroup& group, Deadline deadline) {
  const RandomInputs inputs(plan, group);
  if (inputs.views().empty()) return {};
  Trial trial(plan, group);
  if (Result<void> ran = trial.Run(inputs.views(), kMostProbedBytes, deadline); !ran) {
    if (!group.usable()) return ran;
    TESSERA_LOG(kInfo, "model '{}' cannot be tried on random inputs: {}", plan.model_name,
                ran.error().message);
    return {};
  }
  Result<void> compared = trial.CompareRanks();
  if (compared || !IsMadeUp(plan)) return compared;
  TESSERA_LOG(kWarning, "model '{}' on random inputs, without a plan.json that says whether they should: {}",
              plan.model_name, compared.error().message);
  return {};
}

}  // namespace

Result<void> ProbeRanks(const plan::Plan& plan, const std::filesystem::path& directory,
                        engine::RankGroup& group, Deadline deadline) {
  if (!plan.probe) {
    return group.world_size() == 1 ? Result<void>() : CompareReplicated(plan, group, deadline);
  }
  TRY_ASSIGN(const plan::ProbeTensors probe, plan::ReadProbe(plan, directory));
  Trial trial(plan, group);
  if (Result<void> ran = trial.Run(probe.inputs, UINT64_MAX, deadline); !ran) {
    // An instance may be left with profiles that do not take the probe's sizes.
    if (!group.usable() || ran.error().code != Code::kInvalidArgument) return ran;
    TESSERA_LOG(kWarning, "model '{}': the recorded probe is not compared: {}", plan.model_name,
                ran.error().message);
    return {};
  }
  return trial.CompareWith(probe.answers);
}

}  // namespace tessera::exec
