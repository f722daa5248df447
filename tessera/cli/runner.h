// A model that can be run on host tensors: the sharded one, or the whole one on one device.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/host_tensor.h"
#include "tessera/exec/executor.h"

namespace tessera::cli {

class Runner {
 public:
  virtual ~Runner() = default;
  virtual const plan::Plan& plan() const = 0;
  // Runs one step. The outputs are named and in the order of the plan; those of the call before are
  // overwritten, so that a benchmark measures no allocation.
  virtual Result<const std::vector<HostTensor>*> Run(std::span<const HostTensor> inputs) = 0;
};

// Runs `executor`, which it owns.
std::unique_ptr<Runner> MakeRunner(std::unique_ptr<exec::Executor> executor);

}  // namespace tessera::cli
