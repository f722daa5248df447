// Which GPUs there are, and which one this thread talks to.
#pragma once

#include <string>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::cuda {

// 0 without a GPU or a driver: not an error. Never throws, never initialises a device.
int DeviceCount() noexcept;

struct DeviceInfo {
  DeviceId id;
  std::string name;  // "NVIDIA H200"
  int major = 0;     // compute capability
  int minor = 0;
  ByteCount memory{0};     // total
  std::string pci_bus_id;  // "0000:1b:00.0"
  std::string uuid;        // "GPU-3b0c5a0e-5e0a-..", as NVML has it
};
// Errors: kUnavailable (no such device: the line says how many there are).
Result<DeviceInfo> GetDeviceInfo(DeviceId id);

// Whether `from` may read `to`'s memory directly, as the driver tells. That it also works is another matter
// (nccl#2335): see peer_check.h.
Result<bool> CanAccessPeer(DeviceId from, DeviceId to);

// Lets `from` access `to`'s memory directly. Once per process and pair; again is no error.
Result<void> EnablePeerAccess(DeviceId from, DeviceId to);

// Makes a device current for this thread while it lives, then the one before again. A thread that used none
// before keeps this one: the runtime would name GPU 0, and asking for that makes a context there.
class DeviceGuard {
 public:
  // Errors: kUnavailable (no such device, no driver).
  static Result<DeviceGuard> Enter(DeviceId id);
  DeviceGuard(DeviceGuard&& other) noexcept : previous_(other.previous_) { other.previous_ = -1; }
  DeviceGuard& operator=(DeviceGuard&&) = delete;
  ~DeviceGuard();

 private:
  explicit DeviceGuard(int previous) : previous_(previous) {}
  int previous_;  // -1: nothing to restore
};

}  // namespace tessera::cuda
