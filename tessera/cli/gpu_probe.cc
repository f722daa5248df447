#include "tessera/cli/gpu_probe.h"

#include <array>

#include <fmt/format.h>

#include "tessera/base/shared_library.h"

namespace tessera::cli {
namespace {

// The few declarations of NVML that are used; its header belongs to the CUDA toolkit.
using NvmlDevice = void*;
struct NvmlMemory {
  unsigned long long total;
  unsigned long long free;
  unsigned long long used;
};
constexpr unsigned kNameSize = 96;

struct Nvml {
  int (*init)();
  int (*shutdown)();
  int (*driver_version)(char*, unsigned);
  int (*device_count)(unsigned*);
  int (*device)(unsigned, NvmlDevice*);
  int (*name)(NvmlDevice, char*, unsigned);
  int (*memory)(NvmlDevice, NvmlMemory*);
  int (*compute_capability)(NvmlDevice, int*, int*);

  bool complete() const {
    return init && shutdown && driver_version && device_count && device && name && memory &&
           compute_capability;
  }
};

Nvml Load(const SharedLibrary& library) {
  return {library.Find<int()>("nvmlInit_v2"),
          library.Find<int()>("nvmlShutdown"),
          library.Find<int(char*, unsigned)>("nvmlSystemGetDriverVersion"),
          library.Find<int(unsigned*)>("nvmlDeviceGetCount_v2"),
          library.Find<int(unsigned, NvmlDevice*)>("nvmlDeviceGetHandleByIndex_v2"),
          library.Find<int(NvmlDevice, char*, unsigned)>("nvmlDeviceGetName"),
          library.Find<int(NvmlDevice, NvmlMemory*)>("nvmlDeviceGetMemoryInfo"),
          library.Find<int(NvmlDevice, int*, int*)>("nvmlDeviceGetCudaComputeCapability")};
}

Result<Gpu> Describe(const Nvml& nvml, unsigned index) {
  NvmlDevice device = nullptr;
  std::array<char, kNameSize> name{};
  NvmlMemory memory{};
  int major = 0;
  int minor = 0;
  const bool good = nvml.device(index, &device) == 0 && nvml.name(device, name.data(), kNameSize) == 0 &&
                    nvml.memory(device, &memory) == 0 && nvml.compute_capability(device, &major, &minor) == 0;
  if (!good) return Fail(Code::kUnavailable, "the driver does not describe GPU {}", index);
  return Gpu{name.data(), ByteCount{memory.total}, fmt::format("{}.{}", major, minor)};
}

Result<Gpus> Describe(const Nvml& nvml) {
  Gpus found;
  std::array<char, kNameSize> driver{};
  unsigned count = 0;
  if (nvml.driver_version(driver.data(), kNameSize) != 0 || nvml.device_count(&count) != 0) {
    return Fail(Code::kUnavailable, "the NVIDIA driver does not answer");
  }
  found.driver = driver.data();
  for (unsigned i = 0; i < count; ++i) {
    TRY_ASSIGN(Gpu gpu, Describe(nvml, i));
    found.gpus.push_back(std::move(gpu));
  }
  return found;
}

}  // namespace

Result<Gpus> ProbeGpus() {
  auto library = SharedLibrary::Open({"libnvidia-ml.so.1", "libnvidia-ml.so"});
  if (!library) return Fail(Code::kNotFound, "no NVIDIA driver");
  const Nvml nvml = Load(*library);
  if (!nvml.complete()) return Fail(Code::kUnavailable, "{} lacks functions", library->name());
  const int code = nvml.init();
  if (code != 0) return Fail(Code::kUnavailable, "the NVIDIA driver does not answer (NVML error {})", code);
  auto found = Describe(nvml);
  nvml.shutdown();
  return found;
}

std::string NcclVersionText(int number) {
  if (number < 10000) return fmt::format("{}.{}.{}", number / 1000, number % 1000 / 100, number % 100);
  return fmt::format("{}.{}.{}", number / 10000, number % 10000 / 100, number % 100);
}

Result<std::string> NcclVersion() {
  TRY_ASSIGN(SharedLibrary library, SharedLibrary::Open({"libnccl.so.2", "libnccl.so"}));
  auto* version = library.Find<int(int*)>("ncclGetVersion");
  int number = 0;
  if (version == nullptr || version(&number) != 0)
    return Fail(Code::kUnavailable, "{} tells no version", library.name());
  return NcclVersionText(number);
}

}  // namespace tessera::cli
