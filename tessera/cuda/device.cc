#include "tessera/cuda/device.h"

#include <cuda.h>

#include <array>

#include "tessera/cuda/driver.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

std::string UuidText(const cudaUUID_t& uuid) {
  std::string text = "GPU";
  for (size_t i = 0; i < sizeof uuid.bytes; ++i) {
    const bool begins_part = i == 0 || i == 4 || i == 6 || i == 8 || i == 10;
    text += fmt::format("{}{:02x}", begins_part ? "-" : "", static_cast<unsigned char>(uuid.bytes[i]));
  }
  return text;
}

// Whether this thread has used a device. To the runtime GPU 0 is current for one that has not.
Result<bool> HasCurrentDevice() {
  using GetCurrent = CUresult (*)(CUcontext*);
  static const auto found = DriverFunction<GetCurrent>("cuCtxGetCurrent");
  TRY_ASSIGN(const GetCurrent get_current, found);
  CUcontext context = nullptr;
  const CUresult status = get_current(&context);
  return status == CUDA_SUCCESS && context != nullptr;  // an error: nobody began with the driver yet
}

}  // namespace

int DeviceCount() noexcept {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    (void)cudaGetLastError();
    return 0;
  }
  return count;
}

Result<DeviceInfo> GetDeviceInfo(DeviceId id) {
  const int count = DeviceCount();
  if (count == 0)
    return Fail(Code::kUnavailable, "GPU {} is not on this machine: CUDA finds none", id.value());
  if (id.value() < 0 || id.value() >= count) {
    return Fail(Code::kUnavailable, "GPU {} is not on this machine, which has {}", id.value(), count);
  }
  cudaDeviceProp properties{};
  CUDA_TRY(cudaGetDeviceProperties(&properties, id.value()));
  std::array<char, 32> bus{};
  CUDA_TRY(cudaDeviceGetPCIBusId(bus.data(), static_cast<int>(bus.size()), id.value()));
  DeviceInfo info;
  info.id = id;
  info.name = properties.name;
  info.major = properties.major;
  info.minor = properties.minor;
  info.memory = ByteCount(properties.totalGlobalMem);
  info.pci_bus_id = bus.data();
  info.uuid = UuidText(properties.uuid);
  return info;
}

Result<bool> CanAccessPeer(DeviceId from, DeviceId to) {
  if (from == to) return true;
  int can = 0;
  CUDA_TRY(cudaDeviceCanAccessPeer(&can, from.value(), to.value()));
  return can != 0;
}

Result<void> EnablePeerAccess(DeviceId from, DeviceId to) {
  if (from == to) return {};
  TRY_ASSIGN(DeviceGuard guard, DeviceGuard::Enter(from));
  const cudaError_t status = cudaDeviceEnablePeerAccess(to.value(), 0);
  if (status == cudaErrorPeerAccessAlreadyEnabled) {
    (void)cudaGetLastError();
    return {};
  }
  CUDA_TRY(status);
  return {};
}

Result<DeviceGuard> DeviceGuard::Enter(DeviceId id) {
  int previous = -1;
  TRY_ASSIGN(const bool used, HasCurrentDevice());
  if (used) CUDA_TRY(cudaGetDevice(&previous));
  if (previous == id.value()) return DeviceGuard(-1);
  CUDA_TRY(cudaSetDevice(id.value()));
  return DeviceGuard(previous);
}

DeviceGuard::~DeviceGuard() {
  if (previous_ >= 0) (void)cudaSetDevice(previous_);  // it was current a moment ago; nobody to tell if not
}

}  // namespace tessera::cuda
