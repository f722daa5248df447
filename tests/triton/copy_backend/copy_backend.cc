// The least that a backend can do: input x is copied to output y, request by request. Benchmarks measure the
// server and the client with it, so that what remains of a model's time is ours. It expects the one model of
// the benchmark; any error ends that request.
#include <cstring>

#include "tessera/triton/api/triton.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

TRITONSERVER_Error* Copy(TRITONBACKEND_Request* request, TRITONBACKEND_Response* response) {
  TRITONBACKEND_Input* input = nullptr;
  TRITONSERVER_DataType type = TRITONSERVER_TYPE_INVALID;
  const int64_t* shape = nullptr;
  uint32_t dims = 0;
  uint64_t size = 0;
  uint32_t buffers = 0;
  if (auto* e = TRITONBACKEND_RequestInput(request, "x", &input)) return e;
  if (auto* e = TRITONBACKEND_InputProperties(input, nullptr, &type, &shape, &dims, &size, &buffers))
    return e;

  TRITONBACKEND_Output* output = nullptr;
  TRITONSERVER_MemoryType memory = TRITONSERVER_MEMORY_CPU;
  int64_t memory_id = 0;
  void* to = nullptr;
  if (auto* e = TRITONBACKEND_ResponseOutput(response, &output, "y", type, shape, dims)) return e;
  if (auto* e = TRITONBACKEND_OutputBuffer(output, &to, size, &memory, &memory_id)) return e;
  for (uint32_t i = 0; i < buffers; ++i) {
    const void* from = nullptr;
    uint64_t bytes = 0;
    if (auto* e = TRITONBACKEND_InputBuffer(input, i, &from, &bytes, &memory, &memory_id)) return e;
    std::memcpy(to, from, bytes);
    to = static_cast<char*>(to) + bytes;
  }
  return nullptr;
}

TRITONSERVER_Error* Answer(TRITONBACKEND_Request* request) {
  TRITONBACKEND_Response* response = nullptr;
  if (auto* e = TRITONBACKEND_ResponseNew(&response, request)) return e;
  TRITONSERVER_Error* failed = Copy(request, response);
  TRITONSERVER_Error* sent =
      TRITONBACKEND_ResponseSend(response, TRITONSERVER_RESPONSE_COMPLETE_FINAL, failed);
  if (failed != nullptr) TRITONSERVER_ErrorDelete(failed);
  return sent;
}

}  // namespace

EXPORT TRITONSERVER_Error* TRITONBACKEND_ModelInstanceExecute(TRITONBACKEND_ModelInstance*,
                                                              TRITONBACKEND_Request** requests,
                                                              uint32_t count) {
  for (uint32_t i = 0; i < count; ++i) {
    if (auto* e = Answer(requests[i])) TRITONSERVER_ErrorDelete(e);
    if (auto* e = TRITONBACKEND_RequestRelease(requests[i], TRITONSERVER_REQUEST_RELEASE_ALL)) {
      TRITONSERVER_ErrorDelete(e);
    }
  }
  return nullptr;
}
