#include "tessera/engine/tensorrt/rank_runner.h"

#include <algorithm>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/let_go.h"

namespace tessera::engine {

Result<std::shared_ptr<RankRunner>> RankRunner::Create(std::unique_ptr<RankEngine> engine,
                                                       std::shared_ptr<Peers> peers) {
  const DeviceId device = engine->stream().device();
  TRY_ASSIGN(cuda::Event start, cuda::Event::Create(device, cuda::Event::Timing::kOn));
  TRY_ASSIGN(cuda::Event end, cuda::Event::Create(device, cuda::Event::Timing::kOn));
  return std::shared_ptr<RankRunner>(
      new RankRunner(std::move(engine), std::move(peers), std::move(start), std::move(end)));
}

RankRunner::RankRunner(std::unique_ptr<RankEngine> engine, std::shared_ptr<Peers> peers, cuda::Event start,
                       cuda::Event end)
    : peers_(std::move(peers)),
      engine_(std::move(engine)),
      start_(std::move(start)),
      end_(std::move(end)),
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
    TRY_ASSIGN(const bool grown, buffers_.EnsureInput(i, bytes, stream()));
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
    TRY_ASSIGN(const bool grown, buffers_.EnsureOutput(i, bytes, stream()));
    moved = moved || grown;
    std::byte* direct = at.output(rank, i).at;
    TRY(engine_->BindOutput(plan.profile, index, direct != nullptr ? direct : buffers_.output(i)));
  }
  return moved;
}

Result<void> RankRunner::CopyInput(const StepPlan& plan, size_t input, const ConstRegion& from) {
  std::byte* to = buffers_.input(input);
  ConstRegion part = from;
  if (plan.shape.replication[input] == Replication::kGather) {
    const size_t chunk = GatherChunk(from.bytes(), world_size());
    const size_t at = std::min(chunk * static_cast<size_t>(engine_->rank().value()), from.bytes());
    const size_t bytes = std::min(chunk, from.bytes() - at);
    part = ConstRegion{from.data + at, 1, bytes, bytes, from.kind, from.device};
    to += at;
  }
  const size_t bytes = part.bytes();
  return cuda::CopyAsync(part, Region{to, 1, bytes, bytes, MemoryKind::kDevice, stream().device()}, stream());
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
  TRY(start_.Record(stream().get()));
  TRY(WhileUsable([&] { return Gather(plan); }));
  TRY(stream().Drain(deadline));
  TRY(WhileUsable([&] { return engine_->Enqueue(plan.profile); }));
  return end_.Record(stream().get());
}

Result<void> RankRunner::IssueAs(const StepPlan& plan, Mode mode) {
  TRY(mode == Mode::kInGraph ? start_.RecordInGraph(stream().get()) : start_.Record(stream().get()));
  Result<void> issued = WhileUsable([&]() -> Result<void> {
    TRY(Gather(plan));
    return engine_->Enqueue(plan.profile);
  });
  TRY(std::move(issued));
  return mode == Mode::kInGraph ? end_.RecordInGraph(stream().get()) : end_.Record(stream().get());
}

Result<void> RankRunner::Issue(const StepPlan& plan) {
  return IssueAs(plan, Mode::kNow);
}

Result<cuda::Graph> RankRunner::Capture(const StepPlan& plan) {
  return cuda::Graph::Capture(stream(), [&] { return IssueAs(plan, Mode::kInGraph); });
}

Result<void> RankRunner::Launch(const cuda::Graph& graph) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(stream().device()));
  return graph.Launch(stream());
}

Result<void> RankRunner::CopyOutput(size_t output, const Region& to) {
  const std::byte* from = dynamic_[output] ? allocators_[output]->data() : buffers_.output(output);
  const size_t bytes = to.bytes();
  return cuda::CopyAsync(ConstRegion{from, 1, bytes, bytes, MemoryKind::kDevice, stream().device()}, to,
                         stream());
}

Result<std::chrono::nanoseconds> RankRunner::Time() const {
  return cuda::Elapsed(start_, end_);
}

}  // namespace tessera::engine
