#include "tessera/triton/batch.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace tessera::triton {
namespace {

// Clients and the server's network buffers align nothing; engines read whole elements.
bool AlignedFor(DType type, const std::byte* data) {
  auto element = static_cast<size_t>(BitsOf(type)) / 8;
  return element <= 1 || reinterpret_cast<uintptr_t>(data) % element == 0;
}

bool SameButBatch(const Shape& a, const Shape& b) {
  return a.size() == b.size() && std::equal(a.begin() + 1, a.end(), b.begin() + 1);
}

bool RunTogether(const InputValue& x, const InputValue& y) {
  return x.takes_rows ? ContentOf(x) == ContentOf(y) : SameButBatch(x.shape, y.shape);
}

bool RunTogether(const Request& a, const Request& b) {
  return std::equal(a.inputs().begin(), a.inputs().end(), b.inputs().begin(), b.inputs().end(),
                    [](const InputValue& x, const InputValue& y) { return RunTogether(x, y); });
}

bool UsableInPlace(DType type, const ConstRegion& region) {
  return region.kind == MemoryKind::kDevice || AlignedFor(type, region.data);
}

bool AnyOnDevice(std::span<Request* const> requests, size_t input) {
  return std::any_of(requests.begin(), requests.end(), [&](const Request* request) {
    const std::vector<ConstRegion>& buffers = request->inputs()[input].buffers;
    return std::any_of(buffers.begin(), buffers.end(),
                       [](const ConstRegion& buffer) { return buffer.kind == MemoryKind::kDevice; });
  });
}

Region Piece(const Region& whole, size_t at, size_t bytes) {
  return {whole.data + at, 1, bytes, bytes, whole.kind, whole.device};
}

// An output of no elements has no memory, but is wanted all the same.
Region Wanting(const Region& region) {
  static std::byte nothing;
  return region.bytes() == 0 ? Region{&nothing, 1, 0, 0} : region;
}

}  // namespace

std::vector<std::span<Request* const>> GroupForSteps(std::span<Request* const> requests, bool batched) {
  std::vector<std::span<Request* const>> steps;
  size_t begin = 0;
  for (size_t i = 1; i <= requests.size(); ++i) {
    if (i < requests.size() && batched && RunTogether(*requests[begin], *requests[i])) continue;
    steps.push_back(requests.subspan(begin, i - begin));
    begin = i;
  }
  return steps;
}

Result<std::span<const TensorView>> StepInputs::Gather(std::span<Request* const> requests,
                                                       Deadline deadline) {
  TRY(copies_.Finish(GatherAll(requests), deadline));
  return views_;
}

Result<void> StepInputs::GatherAll(std::span<Request* const> requests) {
  const size_t count = requests[0]->inputs().size();
  views_.clear();
  for (size_t i = 0; i < count; ++i) {
    TRY_ASSIGN(TensorView view, GatherOne(requests, i));
    views_.push_back(std::move(view));
  }
  return {};
}

Result<TensorView> StepInputs::GatherOne(std::span<Request* const> requests, size_t input) {
  const InputValue& first = requests[0]->inputs()[input];
  if (first.takes_rows) return GatherShapeTensor(requests, input);
  if (requests.size() == 1 && first.buffers.size() == 1 && UsableInPlace(first.type, first.buffers[0])) {
    return TensorView{first.type, first.shape, first.buffers[0]};
  }
  Shape shape = first.shape;
  for (const Request* r : requests.subspan(1)) shape[0] += r->inputs()[input].shape[0];
  TRY_ASSIGN(const Region all,
             copies_.Reserve(input, BytesOf(first.type, shape).value(), AnyOnDevice(requests, input)));
  size_t at = 0;
  for (const Request* r : requests) {
    for (const ConstRegion& part : r->inputs()[input].buffers) {
      TRY(copies_.Copy(part, Piece(all, at, part.bytes())));
      at += part.bytes();
    }
  }
  return TensorView{first.type, std::move(shape), all};
}

// The rows of all requests, and the values that they have in common.
Result<TensorView> StepInputs::GatherShapeTensor(std::span<Request* const> requests, size_t input) {
  const InputValue& first = requests[0]->inputs()[input];
  int64_t rows = 0;
  for (const Request* r : requests) rows += r->batch_size();
  const Shape shape = {first.shape[0] + 1};
  TRY_ASSIGN(const Region all, copies_.Reserve(input, BytesOf(first.type, shape).value(), false));
  const size_t element = all.bytes() / static_cast<size_t>(shape[0]);
  std::memcpy(all.data, &rows, element);  // little-endian, and no batch is too large for an INT32
  size_t at = element;
  for (const ConstRegion& part : first.buffers) {
    TRY(copies_.Copy(part, Piece(all, at, part.bytes())));
    at += part.bytes();
  }
  return TensorView{first.type, shape, all};
}

void StepOutputs::Start(std::span<Request* const> requests, const Signature& signature) {
  requests_ = requests;
  signature_ = &signature;
  batch_size_ = 0;
  for (const Request* r : requests) batch_size_ += r->batch_size();
  on_device_ = requests.size() > 1 && !signature.inputs.empty() && AnyOnDevice(requests, 0);
  refusals_.assign(requests.size(), std::nullopt);
  outputs_.resize(signature.outputs.size());
  for (Output& output : outputs_) output.staged.reset();
  MutexLock lock(mutex_);
  misfit_.reset();
}

bool StepOutputs::Wanted(int index) const {
  return std::any_of(requests_.begin(), requests_.end(), [&](const Request* r) { return r->Wants(index); });
}

Result<void> StepOutputs::CheckBatch(int index, const Shape& shape) const {
  if (!signature_->batched || (!shape.empty() && shape[0] == batch_size_)) return {};
  return Fail(Code::kInternal, "output '{}' is {}, its first dimension should be the batch of {}",
              signature_->outputs[static_cast<size_t>(index)].name, ToString(shape), batch_size_);
}

Region StepOutputs::Misfit(Error error) {
  MutexLock lock(mutex_);
  if (!misfit_) misfit_ = std::move(error);
  return Region{};
}

Result<Region> StepOutputs::Place(int index, DType type, const Shape& shape) {
  if (!Wanted(index)) return Region{};
  if (auto fits = CheckBatch(index, shape); !fits) return Misfit(std::move(fits).error());
  Output& output = outputs_[static_cast<size_t>(index)];
  output.type = type;
  output.shape = shape;
  return requests_.size() == 1 ? PlaceInResponse(index, output) : PlaceHere(index, output);
}

Region StepOutputs::PlaceInResponse(int index, Output& output) {
  auto target = [&] {
    MutexLock lock(mutex_);
    return requests_[0]->AddOutput(index, output.type, output.shape);
  }();
  if (!target) return Misfit(std::move(target).error());
  if (UsableInPlace(output.type, ConstRegion{target->data, 1, 0, 0, target->kind})) return Wanting(*target);
  output.target = *target;
  return PlaceHere(index, output);
}

Region StepOutputs::PlaceHere(int index, Output& output) {
  const size_t bytes = BytesOf(output.type, output.shape).value();
  auto staged = copies_.Reserve(static_cast<size_t>(index), bytes, on_device_);
  if (!staged) return Misfit(std::move(staged).error());
  output.staged = *staged;
  return Wanting(*staged);
}

Result<void> StepOutputs::Finish(Deadline deadline) {
  {
    MutexLock lock(mutex_);
    if (misfit_) return tl::unexpected<Error>(*misfit_);
  }
  TRY(copies_.Finish(ScatterAll(), deadline));
  AnswerRefusals();
  return {};
}

Result<void> StepOutputs::ScatterAll() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    if (!output.staged) continue;
    if (requests_.size() == 1) {
      TRY(copies_.Copy(*output.staged, output.target));
    } else {
      TRY(Scatter(static_cast<int>(i), output));
    }
  }
  return {};
}

Result<void> StepOutputs::Scatter(int index, const Output& output) {
  size_t at = 0;
  Shape shape = output.shape;
  for (size_t r = 0; r < requests_.size(); ++r) {
    shape[0] = requests_[r]->batch_size();
    const size_t bytes = BytesOf(output.type, shape).value();
    if (requests_[r]->Wants(index) && !refusals_[r]) {
      auto to = requests_[r]->AddOutput(index, output.type, shape);
      if (to) {
        TRY(copies_.Copy(Piece(*output.staged, at, bytes), *to));
      } else {
        refusals_[r] = std::move(to).error();
      }
    }
    at += bytes;
  }
  return {};
}

// Not before its other outputs are copied: what they are copied to goes with the answer.
void StepOutputs::AnswerRefusals() {
  for (size_t r = 0; r < requests_.size(); ++r) {
    if (refusals_[r]) requests_[r]->AnswerError(*refusals_[r]);
  }
}

}  // namespace tessera::triton
