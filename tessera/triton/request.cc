#include "tessera/triton/request.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "tessera/base/integer_range.h"
#include "tessera/triton/data_type.h"
#include "tessera/triton/error.h"

namespace tessera::triton {
namespace {

// As the server is asked for it.
TRITONSERVER_MemoryType Preferred(const Signature& signature) {
  return signature.memory == MemoryKind::kDevice ? TRITONSERVER_MEMORY_GPU : TRITONSERVER_MEMORY_CPU;
}

MemoryKind FromTriton(TRITONSERVER_MemoryType type) {
  switch (type) {
    case TRITONSERVER_MEMORY_CPU:
      return MemoryKind::kHost;
    case TRITONSERVER_MEMORY_CPU_PINNED:
      return MemoryKind::kPinned;
    case TRITONSERVER_MEMORY_GPU:
      return MemoryKind::kDevice;
  }
  return MemoryKind::kHost;
}

Result<void> CheckReachable(const char* what, const std::string& name, MemoryKind memory, int64_t id,
                            const Signature& signature) {
  if (memory != MemoryKind::kDevice || signature.memory == MemoryKind::kDevice) return {};
  return Fail(Code::kUnsupported, "{} '{}' is in memory of GPU {}, this model's ranks take host memory", what,
              name, id);
}

bool SameRank(const Shape& shape, const TensorSpec& spec) {
  return shape.size() == spec.shape.size();
}

// Here already: a step fails for all of its requests.
Result<void> CheckValues(const TensorSpec& spec, const InputValue& value) {
  if (!spec.in_32_bits) return {};
  if (value.buffers.size() <= 1) {
    return value.buffers.empty() ? Result<void>() : CheckIn32Bits(spec, value.buffers.front());
  }
  return CheckIn32Bits(spec, HostRegion(Bytes{ContentOf(value)}));  // a number may lie in two of them
}

}  // namespace

std::vector<std::byte> ContentOf(const InputValue& input) {
  std::vector<std::byte> content;
  for (const ConstRegion& part : input.buffers) {
    content.insert(content.end(), part.data, part.data + part.bytes());
  }
  return content;
}

uint64_t NowNs() noexcept {
  auto since = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::nanoseconds>(since).count());
}

Request::Request(Request&& other) noexcept
    : request_(std::exchange(other.request_, nullptr)),
      signature_(other.signature_),
      response_(std::exchange(other.response_, nullptr)),
      inputs_(std::move(other.inputs_)),
      wanted_(std::move(other.wanted_)),
      batch_size_(other.batch_size_),
      answered_(other.answered_),
      success_(other.success_) {}

Request::~Request() {
  if (request_ == nullptr) return;
  if (!answered_) AnswerError(Error{Code::kInternal, "the request was given up"});
  Discard(TRITONBACKEND_RequestRelease(request_, TRITONSERVER_REQUEST_RELEASE_ALL));
}

Result<void> Request::Read() {
  TRY(Check(TRITONBACKEND_ResponseNew(&response_, request_)));
  bool cancelled = false;
  TRY(Check(TRITONBACKEND_RequestIsCancelled(request_, &cancelled)));
  if (cancelled) return Fail(Code::kCancelled, "the client cancelled the request before it was run");
  inputs_.reserve(signature_->inputs.size());
  for (const TensorSpec& spec : signature_->inputs) TRY(ReadInput(spec));
  TRY(ReadBatchSize());
  return ReadWanted();
}

Result<void> Request::ReadInput(const TensorSpec& spec) {
  TRITONBACKEND_Input* input = nullptr;
  TRY(Check(TRITONBACKEND_RequestInput(request_, spec.name.c_str(), &input)));
  TRITONSERVER_DataType type = TRITONSERVER_TYPE_INVALID;
  const int64_t* dims = nullptr;
  uint32_t dims_count = 0;
  uint32_t buffer_count = 0;
  TRY(Check(
      TRITONBACKEND_InputProperties(input, nullptr, &type, &dims, &dims_count, nullptr, &buffer_count)));
  InputValue value{FromTritonType(type), Shape(dims, dims + dims_count), {}};
  if (value.type != spec.type) {
    return Fail(Code::kInvalidArgument, "input '{}' is {}, the model takes {}", spec.name,
                DTypeName(value.type), DTypeName(spec.type));
  }
  if (spec.on_host && signature_->batched) {
    value.takes_rows = true;
    value.shape = {spec.shape[0] - 1};  // whatever dimension the server put before it
  } else if (!SameRank(value.shape, spec)) {
    return Fail(Code::kInvalidArgument, "input '{}' is {}, the model takes {}", spec.name,
                ToString(value.shape), ToString(spec.shape));
  }
  TRY(ReadBuffers(input, buffer_count, spec, value));
  inputs_.push_back(std::move(value));
  return {};
}

Result<void> Request::ReadBuffers(TRITONBACKEND_Input* input, uint32_t count, const TensorSpec& spec,
                                  InputValue& value) {
  uint64_t total = 0;
  value.buffers.reserve(count);
  for (uint32_t i = 0; i < count; ++i) {
    const void* buffer = nullptr;
    uint64_t size = 0;
    TRITONSERVER_MemoryType memory = spec.on_host ? TRITONSERVER_MEMORY_CPU : Preferred(*signature_);
    int64_t memory_id = spec.on_host ? 0 : signature_->device.value();
    TRY(Check(TRITONBACKEND_InputBuffer(input, i, &buffer, &size, &memory, &memory_id)));
    const MemoryKind kind = FromTriton(memory);
    TRY(CheckReachable("input", spec.name, kind, memory_id, *signature_));
    if (spec.on_host && kind == MemoryKind::kDevice) {
      return Fail(Code::kInvalidArgument, "input '{}' is a shape tensor: wanted it in host memory",
                  spec.name);
    }
    if (size == 0) continue;
    value.buffers.push_back(
        {static_cast<const std::byte*>(buffer), 1, size, size, kind, DeviceId(static_cast<int>(memory_id))});
    total += size;
  }
  uint64_t wanted = BytesOf(value.type, value.shape).value();
  if (total != wanted) {
    return Fail(Code::kInvalidArgument, "input '{}' has {} bytes, its shape {} takes {}", spec.name, total,
                ToString(value.shape), wanted);
  }
  return CheckValues(spec, value);
}

Result<void> Request::ReadBatchSize() {
  if (!signature_->batched) return {};
  const InputValue* first = nullptr;  // that has rows
  for (const InputValue& input : inputs_) {
    if (input.takes_rows) continue;
    if (first == nullptr) first = &input;
    if (input.shape[0] == first->shape[0]) continue;
    return Fail(Code::kInvalidArgument, "input '{}' has batch {}, input '{}' has {}", NameOf(input),
                input.shape[0], NameOf(*first), first->shape[0]);
  }
  if (first != nullptr) batch_size_ = first->shape[0];
  return {};
}

const std::string& Request::NameOf(const InputValue& input) const {
  return signature_->inputs[static_cast<size_t>(&input - inputs_.data())].name;
}

Result<void> Request::ReadWanted() {
  const std::vector<TensorSpec>& outputs = signature_->outputs;
  wanted_.assign(outputs.size(), false);
  uint32_t count = 0;
  TRY(Check(TRITONBACKEND_RequestOutputCount(request_, &count)));
  for (uint32_t i = 0; i < count; ++i) {
    const char* name = nullptr;
    TRY(Check(TRITONBACKEND_RequestOutputName(request_, i, &name)));
    auto found =
        std::find_if(outputs.begin(), outputs.end(), [&](const TensorSpec& o) { return o.name == name; });
    if (found == outputs.end()) return Fail(Code::kInvalidArgument, "the model has no output '{}'", name);
    wanted_[static_cast<size_t>(found - outputs.begin())] = true;
  }
  return {};
}

Result<Region> Request::AddOutput(int output, DType type, const Shape& shape) {
  const std::string& name = signature_->outputs[static_cast<size_t>(output)].name;
  TRITONBACKEND_Output* added = nullptr;
  TRY(Check(TRITONBACKEND_ResponseOutput(response_, &added, name.c_str(), ToTritonType(type), shape.data(),
                                         static_cast<uint32_t>(shape.size()))));
  uint64_t size = BytesOf(type, shape).value();
  void* buffer = nullptr;
  TRITONSERVER_MemoryType memory = Preferred(*signature_);
  int64_t memory_id = signature_->device.value();
  TRY(Check(TRITONBACKEND_OutputBuffer(added, &buffer, size, &memory, &memory_id)));
  const MemoryKind kind = FromTriton(memory);
  TRY(CheckReachable("output", name, kind, memory_id, *signature_));
  return Region{static_cast<std::byte*>(buffer), 1, size, size, kind, DeviceId(static_cast<int>(memory_id))};
}

void Request::Answer() noexcept {
  success_ = true;
  Send(nullptr);
}

void Request::AnswerError(const Error& error) noexcept {
  TRITONSERVER_Error* theirs = ToTriton(error);
  Send(theirs);
  Discard(theirs);
}

void Request::Send(TRITONSERVER_Error* error) noexcept {
  answered_ = true;
  if (response_ == nullptr)
    Discard(TRITONBACKEND_ResponseNew(&response_, request_));  // Read got not that far
  if (response_ == nullptr)
    return;  // the server has no memory for an answer; the release still frees the request
  Discard(TRITONBACKEND_ResponseSend(std::exchange(response_, nullptr), TRITONSERVER_RESPONSE_COMPLETE_FINAL,
                                     error));
}

void Request::Report(TRITONBACKEND_ModelInstance* instance, const Timeline& times) const noexcept {
  Discard(TRITONBACKEND_ModelInstanceReportStatistics(instance, request_, success_, times.exec_start,
                                                      times.compute_start, times.compute_end,
                                                      times.exec_end));
}

}  // namespace tessera::triton
