// Records a request and its answer, which are compared with the ranks' whenever they are loaded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/runner.h"
#include "tessera/plan/plan.h"
#include "tessera/plan/tolerance.h"

namespace tessera::cli {

// Most bytes of a probe's inputs, and of its file, that are recorded unasked.
inline constexpr uint64_t kMostProbeInput = uint64_t{16} << 20;
inline constexpr uint64_t kMostProbeFile = uint64_t{64} << 20;

// Sizes that are worth trying, best first: those that the first profile is made fastest for, since loading
// runs them anyway, then its least ones. Without profiles: batches of 2 and lengths of 16, or what the plan
// wants.
std::vector<std::vector<Shape>> ProbeSizes(const plan::Plan& plan,
                                           const std::vector<plan::Profile>& profiles);

uint64_t InputBytes(const plan::Plan& plan, const std::vector<Shape>& shapes);

// Whether a profile takes inputs of these sizes; one without ranges takes those of the plan.
bool TakesSizes(const plan::Profile& profile, const plan::Plan& plan, const std::vector<Shape>& shapes);

// What the model in `graph`, or a rank's of it, computes in, as far as its constants and ops tell.
Result<plan::Arithmetic> ArithmeticOf(const std::filesystem::path& onnx);

// One tolerance an output of `plan`: `given`, or by its type and `arithmetic`.
std::vector<double> ProbeTolerances(const plan::Plan& plan, const plan::Arithmetic& arithmetic,
                                    std::optional<double> given);

struct ProbeOrder {
  std::string reference;  // as plan::Probe::reference
  std::vector<double> tolerances;
  std::vector<std::vector<Shape>> sizes;  // to be tried in turn until the file is small enough
  bool any_size = false;                  // take the first
};

// Runs `model` on random inputs that its plan allows and writes DIRECTORY/probe.bin. Errors: kUnsupported (a
// type without numbers; too large in all sizes: the line tells both figures), those of the model.
Result<plan::Probe> RecordProbe(const plan::Plan& plan, Runner& model, const ProbeOrder& order,
                                const std::filesystem::path& directory);

}  // namespace tessera::cli
