#include "tessera/cuda/status.h"

#include <string>
#include <string_view>

namespace tessera::cuda {
namespace {

bool MachineLacks(cudaError_t status) {
  switch (status) {
    case cudaErrorNoDevice:
    case cudaErrorInvalidDevice:
    case cudaErrorInsufficientDriver:
    case cudaErrorStubLibrary:
    case cudaErrorSystemDriverMismatch:
    case cudaErrorSystemNotReady:
    case cudaErrorDevicesUnavailable:
    case cudaErrorInitializationError:
    case cudaErrorMemoryAllocation:
      return true;
    default:
      return false;
  }
}

// "cudaMalloc(&address, bytes)" -> "cudaMalloc": the arguments' spelling tells a user nothing.
std::string_view FunctionOf(std::string_view call) {
  return call.substr(0, call.find('('));
}

std::string DeviceText() {
  int device = -1;
  if (cudaGetDevice(&device) != cudaSuccess) return "no device";
  return fmt::format("device {}", device);
}

}  // namespace

tl::unexpected<Error> FailedCall(cudaError_t status, const char* call, const char* file, int line) {
  const std::string where = DeviceText();
  (void)cudaGetLastError();
  Error error;
  error.code = MachineLacks(status) ? Code::kUnavailable : Code::kInternal;
  error.message = fmt::format("{} on {}: {} ({})", FunctionOf(call), where, cudaGetErrorName(status),
                              cudaGetErrorString(status));
  error.file = file;
  error.line = line;
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace tessera::cuda
