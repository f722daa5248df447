#include "tessera/engine/tensorrt/rank_runner.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {
namespace {

Result<bool> Named(std::string_view kind, const TensorSpec& tensor, Result<bool> ensured) {
  if (!ensured) ensured.error().message.insert(0, fmt::format("{} '{}': ", kind, tensor.name));
  return ensured;
}

}  // namespace

Result<std::shared_ptr<RankRunner>> RankRunner::Create(std::unique_ptr<RankEngine> engine,
                                                       std::shared_ptr<Peers> peers, size_t slots) {
  const DeviceId device = engine->stream().device();
  std::vector<Times> times;
  for (size_t slot = 0; slot < slots; ++slot) {
    TRY_ASSIGN(cuda::Event start, cuda::Event::Create(device, cuda::Event::Timing::kOn));
    TRY_ASSIGN(cuda::Event end, cuda::Event::Create(device, cuda::Event::Timing::kOn));
    times.push_back({std::move(start), std::move(end)});
  }
  std::optional<CopyLanes> lanes;
  if (slots > 1) {
    TRY_ASSIGN(lanes, CopyLanes::Create(device));
  }
  return std::shared_ptr<RankRunner>(
      new RankRunner(std::move(engine), std::move(peers), std::move(times), std::move(lanes)));
}

RankRunner::RankRunner(std::unique_ptr<RankEngine> engine, std::shared_ptr<Peers> peers,
                       std::vector<Times> times, std::optional<CopyLanes> lanes)
    : peers_(std::move(peers)),
      engine_(std::move(engine)),
      times_(std::move(times)),
      lanes_(std::move(lanes)),
      buffers_(engine_->stream().device(), engine_->tensors().inputs.size(),
               engine_->tensors().outputs.size()),
      dynamic_(engine_->tensors().outputs.size()) {
  for (size_t i = 0; i < dynamic_.size(); ++i) {
    allocators_.push_back(std::make_unique<OutputAllocator>(stream().device()));
  }
}

RankRunner::~RankRunner() {
  LetGo(std::make_pair(std::move(buffers_), std::move(allocators_)), stream());
}

size_t RankRunner::InputBytes(const StepShape& shape, size_t input) const {
  const auto rank = static_cast<size_t>(engine_->rank().value());
  return BytesOf(engine_->tensors().inputs[input].spec.type, shape.inputs[rank][input]).value();
}

Result<bool> RankRunner::EnsureInputs(const StepShape& shape) {
  bool moved = false;
  for (size_t i = 0; i < shape.replication.size(); ++i) {
    if (shape.replication[i] == Replication::kOnHost) continue;
    size_t bytes = InputBytes(shape, i);
    if (shape.replication[i] == Replication::kGather) {
      bytes = GatherChunk(bytes, world_size()) * static_cast<size_t>(world_size());
    }
    TRY_ASSIGN(const bool grown,
               Named("input", engine_->tensors().inputs[i].spec, buffers_.EnsureInput(i, bytes, stream())));
    moved = moved || grown;
  }
  return moved;
}

Result<bool> RankRunner::Bind(const StepPlan& plan, const StepAddresses& at, std::vector<Shape>& outputs) {
  const auto rank = static_cast<size_t>(engine_->rank().value());
  std::vector<void*> addresses;
  for (size_t i = 0; i < plan.shape.replication.size(); ++i) {
    std::byte* direct = at.input(rank, i).at;
    addresses.push_back(direct != nullptr ? direct : buffers_.input(i));
  }
  TRY_ASSIGN(outputs, engine_->InferShapes(plan.profile, plan.shape.inputs[rank], plan.shape.values));
  TRY(engine_->BindInputs(plan.profile, addresses));
  bool moved = false;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const int index = static_cast<int>(i);
    dynamic_[i] = !IsStatic(outputs[i]);
    TRY(engine_->BindOutputAllocator(plan.profile, index, dynamic_[i] ? allocators_[i].get() : nullptr));
    if (dynamic_[i]) continue;
    const size_t bytes = BytesOf(engine_->tensors().outputs[i].spec.type, outputs[i]).value();
    TRY_ASSIGN(const bool grown, Named("output", engine_->tensors().outputs[i].spec,
                                       buffers_.EnsureOutput(i, bytes, stream())));
    moved = moved || grown;
    std::byte* direct = at.output(rank, i).at;
    TRY(engine_->BindOutput(plan.profile, index, direct != nullptr ? direct : buffers_.output(i)));
  }
  return moved;
}

void RankRunner::DropBuffers() {
  buffers_ = RankBuffers(stream().device(), engine_->tensors().inputs.size(), dynamic_.size());
}

RankRunner::Inbound RankRunner::InputPart(const StepPlan& plan, size_t input,
                                          const ConstRegion& whole) const {
  std::byte* to = buffers_.input(input);
  if (plan.shape.replication[input] != Replication::kGather) return {whole, to};
  const size_t chunk = GatherChunk(whole.bytes(), world_size());
  const size_t at = std::min(chunk * static_cast<size_t>(engine_->rank().value()), whole.bytes());
  const size_t bytes = std::min(chunk, whole.bytes() - at);
  return {ConstRegion{whole.data + at, 1, bytes, bytes, whole.kind, whole.device}, to + at};
}

Result<void> RankRunner::CopyInput(const Inbound& part) const {
  const MutableBytes to(part.to, part.from.bytes());
  return cuda::CopyAsync(part.from, DeviceRegion(to, stream().device()), stream());
}

Result<void> RankRunner::Gather(const StepPlan& plan) {
  const Rank rank = engine_->rank();
  for (size_t i = 0; i < plan.shape.replication.size(); ++i) {
    if (plan.shape.replication[i] != Replication::kGather) continue;
    const size_t chunk = GatherChunk(InputBytes(plan.shape, i), world_size());
    std::byte* all = buffers_.input(i);
    const std::byte* mine = all + chunk * static_cast<size_t>(rank.value());
    TRY(peers_->AllGather(rank, mine, all, chunk, stream().get()));
  }
  return {};
}

// For calls of NCCL, the engine's included.
template <class Call>
Result<void> RankRunner::WhileUsable(Call call) {
  return peers_ ? peers_->WhileUsable(call) : call();
}

Result<void> RankRunner::IssueFirst(const StepPlan& plan, Deadline deadline) {
  TRY(times_.front().start.Record(stream().get()));
  TRY(WhileUsable([&] { return Gather(plan); }));
  TRY(stream().Drain(deadline));
  TRY(WhileUsable([&] { return engine_->Enqueue(plan.profile); }));
  return times_.front().end.Record(stream().get());
}

Result<void> RankRunner::IssueAs(const StepPlan& plan, const Times& times, Mode mode) {
  auto record = [&](const cuda::Event& event) {
    return mode == Mode::kInGraph ? event.RecordInGraph(stream().get()) : event.Record(stream().get());
  };
  TRY(record(times.start));
  Result<void> issued = WhileUsable([&]() -> Result<void> {
    TRY(Gather(plan));
    return engine_->Enqueue(plan.profile);
  });
  TRY(std::move(issued));
  return record(times.end);
}

Result<void> RankRunner::Issue(const StepPlan& plan, size_t slot) {
  return IssueAs(plan, times_[slot], Mode::kNow);
}

Result<Graphs> RankRunner::Capture(const StepPlan& plan) {
  TRY(engine_->CheckCapturable(plan.profile));
  Graphs graphs;
  const Times& captured = times_.front();
  const auto objects = peers_ ? cuda::Graph::Objects::kApart : cuda::Graph::Objects::kInLaunches;
  TRY_ASSIGN(cuda::Graph first,
             cuda::Graph::Capture(
                 stream(), [&] { return IssueAs(plan, captured, Mode::kInGraph); }, objects));
  graphs.push_back(std::move(first));
  for (size_t slot = 1; slot < times_.size(); ++slot) {
    const Times& own = times_[slot];
    TRY_ASSIGN(cuda::Graph next,
               graphs.front().With({{&captured.start, &own.start}, {&captured.end, &own.end}}, stream()));
    graphs.push_back(std::move(next));
  }
  return graphs;
}

Result<void> RankRunner::Launch(const cuda::Graph& graph) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(stream().device()));
  return graph.Launch(stream());
}

Result<void> RankRunner::CopyOutput(size_t output, const Region& to) const {
  const Bytes from(OutputAt(output), to.bytes());
  return cuda::CopyAsync(DeviceRegion(from, stream().device()), to, stream());
}

bool RankRunner::has_outgrown() const {
  return std::any_of(allocators_.begin(), allocators_.end(),
                     [](const auto& allocator) { return allocator->has_outgrown(); });
}

void RankRunner::DropOutgrown() {
  for (const auto& allocator : allocators_) allocator->DropOutgrown();
}

Result<std::chrono::nanoseconds> RankRunner::Time(size_t slot) const {
  return cuda::Elapsed(times_[slot].start, times_[slot].end);
}

}  // namespace tessera::engine
