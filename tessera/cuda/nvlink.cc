#include "tessera/cuda/nvlink.h"

#include <dlfcn.h>

#include <array>

#include "tessera/cuda/device.h"
#include "tessera/cuda/status.h"

namespace tessera::cuda {
namespace {

// The few declarations of NVML that are used; its header belongs to the CUDA toolkit.
using NvmlDevice = void*;
constexpr int kSuccess = 0;
constexpr int kNvLinkCapability = 2;  // nvmlGpuP2PCapsIndex_t
constexpr int kStatusOk = 0;          // nvmlGpuP2PStatus_t

struct Nvml {
  int (*init)() = nullptr;
  int (*device)(const char* pci_bus_id, NvmlDevice*) = nullptr;
  int (*p2p_status)(NvmlDevice, NvmlDevice, int capability, int* status) = nullptr;
  int started = -1;
};

template <class Function>
void Find(void* library, const char* name, Function*& function) {
  function = reinterpret_cast<Function*>(dlsym(library, name));
}

Nvml Open() {
  Nvml nvml;
  void* library = dlopen("libnvidia-ml.so.1", RTLD_LAZY | RTLD_LOCAL);
  if (library == nullptr) return nvml;
  Find(library, "nvmlInit_v2", nvml.init);
  Find(library, "nvmlDeviceGetHandleByPciBusId_v2", nvml.device);
  Find(library, "nvmlDeviceGetP2PStatus", nvml.p2p_status);
  if (nvml.init != nullptr && nvml.device != nullptr && nvml.p2p_status != nullptr) {
    nvml.started = nvml.init();
  }
  return nvml;
}

// Stays open: NCCL uses it as well, and starting it takes milliseconds.
const Nvml& NvmlOfProcess() {
  static const Nvml nvml = Open();
  return nvml;
}

// By PCI address: CUDA_VISIBLE_DEVICES renumbers CUDA's GPUs, not NVML's.
Result<NvmlDevice> HandleOf(const Nvml& nvml, DeviceId gpu) {
  std::array<char, 32> address{};
  CUDA_TRY(cudaDeviceGetPCIBusId(address.data(), static_cast<int>(address.size()), gpu.value()));
  NvmlDevice handle = nullptr;
  const int status = nvml.device(address.data(), &handle);
  if (status == kSuccess) return handle;
  return Fail(Code::kUnavailable, "the driver does not tell of GPU {} (NVML error {})", gpu.value(), status);
}

}  // namespace

Result<bool> HasNvLink(DeviceId one, DeviceId other) {
  if (one == other) return true;
  TRY_ASSIGN(const bool reachable, CanAccessPeer(one, other));
  if (!reachable) return false;
  const Nvml& nvml = NvmlOfProcess();
  if (nvml.started != kSuccess) {
    return Fail(Code::kUnavailable, "no libnvidia-ml.so.1 that tells how GPUs are linked");
  }
  TRY_ASSIGN(NvmlDevice first, HandleOf(nvml, one));
  TRY_ASSIGN(NvmlDevice second, HandleOf(nvml, other));
  int linked = kStatusOk;
  const int status = nvml.p2p_status(first, second, kNvLinkCapability, &linked);
  if (status == kSuccess) return linked == kStatusOk;
  return Fail(Code::kUnavailable, "the driver does not tell how GPUs {} and {} are linked (NVML error {})",
              one.value(), other.value(), status);
}

}  // namespace tessera::cuda
