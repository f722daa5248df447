// How GPUs are linked.
#pragma once

#include "tessera/base/result.h"
#include "tessera/base/types.h"

namespace tessera::cuda {

// Whether two GPUs reach each other's memory over NVLink, through an NVSwitch or directly, as the driver's
// management library (NVML, opened when first asked) and CUDA tell; a GPU is linked to itself. CUDA alone
// does not tell NVLink from PCIe: its performance rank is relative to the machine, and native atomics are no
// property of NVLink only. Errors: kUnavailable (no NVML here, or it does not answer), kInternal (CUDA's).
Result<bool> HasNvLink(DeviceId one, DeviceId other);

}  // namespace tessera::cuda
