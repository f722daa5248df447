// The GPUs of this machine and the libraries that GPU ranks need, found without linking to any of them.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::cli {

struct Gpu {
  std::string name;
  ByteCount memory{0};
  std::string compute_capability;  // "9.0"
};

struct Gpus {
  std::string driver;  // "570.86.15"
  std::vector<Gpu> gpus;
};

// By NVIDIA's management library. Errors: kNotFound (no driver), kUnavailable (the driver does not answer).
// Source: NVML API reference.
Result<Gpus> ProbeGpus();

// The version of an installed library, "2.27.3". Errors: kNotFound.
Result<std::string> NcclVersion();

// Its number (22703; before 2.9: 2708) as a version.
std::string NcclVersionText(int number);

}  // namespace tessera::cli
