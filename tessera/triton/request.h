// One request in the hands of the backend: read, answered exactly once, released exactly once.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/memory.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/triton/api/triton.h"

namespace tessera::triton {

// What requests to a model look like.
struct Signature {
  std::vector<TensorSpec> inputs;
  std::vector<TensorSpec> outputs;
  bool batched = false;  // the first dimension is Triton's batch: requests may be run together along it
  // Where the server had best put values; kDevice only for models that take them there. Clients' shared
  // memory is where it is.
  MemoryKind memory = MemoryKind::kHost;
  DeviceId device{0};
};

// An input's value as the server holds it.
struct InputValue {
  DType type = DType::kUndefined;
  Shape shape;                       // the batch dimension included
  std::vector<ConstRegion> buffers;  // dense, one after the other: BytesOf(type, shape) bytes
  // A shape tensor of a batched model: the engine takes the step's rows in front of these values.
  bool takes_rows = false;
};

// Of host memory.
std::vector<std::byte> ContentOf(const InputValue& input);

// Points of CLOCK_MONOTONIC in nanoseconds, for the server's statistics.
struct Timeline {
  uint64_t exec_start = 0;
  uint64_t compute_start = 0;
  uint64_t compute_end = 0;
  uint64_t exec_end = 0;
};
uint64_t NowNs() noexcept;

class Request {
 public:
  // Takes `request` over. Both outlive it.
  Request(TRITONBACKEND_Request* request, const Signature& signature) noexcept
      : request_(request), signature_(&signature) {}
  Request(Request&& other) noexcept;
  Request& operator=(Request&&) = delete;
  // Answers with an error what has not been answered, and releases.
  ~Request();

  // Reads the inputs and which outputs are wanted; opens the response.
  // Errors, all of this request only: kCancelled, kInvalidArgument (type, rank, batch, bytes or values of an
  // input), kUnsupported (an input in GPU memory, and a model that takes host memory only).
  Result<void> Read();

  const std::vector<InputValue>& inputs() const { return inputs_; }  // as Signature::inputs
  int64_t batch_size() const { return batch_size_; }                 // 1 if not batched
  bool Wants(int output) const { return wanted_[static_cast<size_t>(output)]; }
  bool answered() const { return answered_; }
  bool held() const { return request_ != nullptr; }  // not moved from

  // Adds an output to the response: the dense memory that takes its value until Answer. One call at a time.
  Result<Region> AddOutput(int output, DType type, const Shape& shape);

  // Sends the response; after that the request only waits for its release.
  void Answer() noexcept;
  void AnswerError(const Error& error) noexcept;

  // Tells the server's statistics. After the answer, before the release.
  void Report(TRITONBACKEND_ModelInstance* instance, const Timeline& times) const noexcept;

 private:
  Result<void> ReadInput(const TensorSpec& spec);
  Result<void> ReadBuffers(TRITONBACKEND_Input* input, uint32_t count, const TensorSpec& spec,
                           InputValue& value);
  Result<void> ReadBatchSize();
  const std::string& NameOf(const InputValue& input) const;
  Result<void> ReadWanted();
  void Send(TRITONSERVER_Error* error) noexcept;

  TRITONBACKEND_Request* request_;
  const Signature* signature_;
  TRITONBACKEND_Response* response_ = nullptr;
  std::vector<InputValue> inputs_;
  std::vector<bool> wanted_;
  int64_t batch_size_ = 1;
  bool answered_ = false;
  bool success_ = false;
};

}  // namespace tessera::triton
