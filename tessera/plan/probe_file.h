// The file of a recorded probe: the elements of every input, then of every output, dense and little endian,
// in the plan's order; each tensor begins at a multiple of 64 bytes, zeros before it.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "tessera/base/file.h"
#include "tessera/base/result.h"
#include "tessera/base/tensor.h"
#include "tessera/plan/plan.h"

namespace tessera::plan {

inline constexpr const char* kProbeFile = "probe.bin";

// The bytes of the file that `probe` tells of. Its shapes are static.
ByteCount ProbeBytes(const Plan& plan, const Probe& probe);

// What plan.probe's file holds.
struct ProbeTensors {
  std::shared_ptr<const MappedFile> file;  // that the views are of
  std::vector<TensorView> inputs;          // global
  std::vector<TensorView> answers;
};
// Requires plan.probe. Errors: kNotFound, kInvalidArgument (its size is not what the plan says).
Result<ProbeTensors> ReadProbe(const Plan& plan, const std::filesystem::path& directory);

// Writes `directory`/kProbeFile and returns what tells of it, valid in a plan with as many inputs and outputs
// of these types. The tensors are contiguous host memory; `tolerances` has one number an output.
Result<Probe> WriteProbe(std::span<const TensorView> inputs, std::span<const TensorView> answers,
                         std::vector<double> tolerances, std::string reference,
                         const std::filesystem::path& directory);

}  // namespace tessera::plan
