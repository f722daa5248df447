#include "tessera/triton/batch.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace tessera::triton {
namespace {

constexpr size_t kAlignment = 64;

size_t RoundUp(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Clients and the server's network buffers align nothing; engines read whole elements.
bool AlignedFor(DType type, const std::byte* data) {
  auto element = static_cast<size_t>(BitsOf(type)) / 8;
  return element <= 1 || reinterpret_cast<uintptr_t>(data) % element == 0;
}

bool SameButBatch(const Shape& a, const Shape& b) {
  return a.size() == b.size() && std::equal(a.begin() + 1, a.end(), b.begin() + 1);
}

bool RunTogether(const Request& a, const Request& b) {
  return std::equal(a.inputs().begin(), a.inputs().end(), b.inputs().begin(), b.inputs().end(),
                    [](const InputValue& x, const InputValue& y) { return SameButBatch(x.shape, y.shape); });
}

// An output of no elements has no memory, but is wanted all the same.
Region DenseRegion(MutableBytes bytes) {
  static std::byte nothing;
  return bytes.empty() ? Region{&nothing, 1, 0, 0} : HostRegion(bytes);
}

}  // namespace

void Staging::Free::operator()(std::byte* p) const noexcept {
  std::free(p);
}

MutableBytes Staging::Reserve(size_t bytes) {
  if (bytes > capacity_) {
    memory_.reset();
    capacity_ = 0;
    auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, RoundUp(bytes)));
    if (memory == nullptr) throw std::bad_alloc();
    memory_.reset(memory);
    capacity_ = RoundUp(bytes);
  }
  return {memory_.get(), bytes};
}

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

std::span<const TensorView> StepInputs::Gather(std::span<Request* const> requests) {
  const size_t count = requests[0]->inputs().size();
  staging_.resize(std::max(staging_.size(), count));
  views_.clear();
  for (size_t i = 0; i < count; ++i) views_.push_back(GatherOne(requests, i));
  return views_;
}

TensorView StepInputs::GatherOne(std::span<Request* const> requests, size_t input) {
  const InputValue& first = requests[0]->inputs()[input];
  if (requests.size() == 1 && first.buffers.size() == 1 && AlignedFor(first.type, first.buffers[0].data())) {
    return {first.type, first.shape, HostRegion(first.buffers[0])};
  }
  Shape shape = first.shape;
  for (const Request* r : requests.subspan(1)) shape[0] += r->inputs()[input].shape[0];
  MutableBytes all = staging_[input].Reserve(BytesOf(first.type, shape).value());
  size_t at = 0;
  for (const Request* r : requests) {
    for (Bytes part : r->inputs()[input].buffers) {
      std::memcpy(all.data() + at, part.data(), part.size());
      at += part.size();
    }
  }
  return {first.type, std::move(shape), HostRegion(Bytes(all))};
}

void StepOutputs::Start(std::span<Request* const> requests, const Signature& signature) {
  requests_ = requests;
  signature_ = &signature;
  batch_size_ = 0;
  for (const Request* r : requests) batch_size_ += r->batch_size();
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
  return requests_.size() == 1 ? PlaceInResponse(index, output) : PlaceHere(output);
}

Region StepOutputs::PlaceInResponse(int index, Output& output) {
  auto target = [&] {
    MutexLock lock(mutex_);
    return requests_[0]->AddOutput(index, output.type, output.shape);
  }();
  if (!target) return Misfit(std::move(target).error());
  if (AlignedFor(output.type, target->data())) return DenseRegion(*target);
  output.target = *target;
  return PlaceHere(output);
}

Region StepOutputs::PlaceHere(Output& output) {
  output.staged = output.staging.Reserve(BytesOf(output.type, output.shape).value());
  return DenseRegion(*output.staged);
}

Result<void> StepOutputs::Finish() {
  {
    MutexLock lock(mutex_);
    if (misfit_) return tl::unexpected<Error>(*misfit_);
  }
  for (size_t i = 0; i < outputs_.size(); ++i) {
    const Output& output = outputs_[i];
    if (!output.staged) continue;
    if (requests_.size() == 1) {
      std::memcpy(output.target.data(), output.staged->data(), output.staged->size());
    } else {
      Scatter(static_cast<int>(i), output);
    }
  }
  return {};
}

void StepOutputs::Scatter(int index, const Output& output) {
  const std::byte* from = output.staged->data();
  Shape shape = output.shape;
  for (Request* request : requests_) {
    shape[0] = request->batch_size();
    const size_t bytes = BytesOf(output.type, shape).value();
    if (request->Wants(index) && !request->answered()) {
      auto to = request->AddOutput(index, output.type, shape);
      if (!to) {
        request->AnswerError(to.error());
      } else if (bytes > 0) {
        std::memcpy(to->data(), from, bytes);
      }
    }
    from += bytes;
  }
}

}  // namespace tessera::triton
