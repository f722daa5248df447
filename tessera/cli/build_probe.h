// The request that `tessera build` records with its answer: the engines are compared with it when they are
// loaded.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/build_options.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

struct BuildProbe {
  std::optional<plan::Probe> probe;
  std::string reason;  // why there is none though one was wanted
};

// `sharded` names the ranks' ONNX files in `version`, and the probe of a build before: where `profiles` take
// its sizes and options.against names no model, that one serves again. Else the model in options.against
// answers, or the ranks' ONNX files do, on this machine's CPU, and probe.bin goes to `scratch`. A model that
// was named has to answer: its errors are this one's. Where none was, a probe that cannot be had is a reason,
// no error.
Result<BuildProbe> ProbeOf(const plan::Plan& sharded, const std::filesystem::path& version,
                           const std::vector<plan::Profile>& profiles, const BuildOptions& options,
                           const std::filesystem::path& scratch);

}  // namespace tessera::cli
