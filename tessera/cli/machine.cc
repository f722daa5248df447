#include "tessera/cli/machine.h"

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openvino/core/version.hpp>

#include "tessera/base/cores.h"
#include "tessera/base/shared_library.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/triton_probe.h"
#include "tessera/engine/registry/registry.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// The value behind "key" and a colon in a file of such lines, as /proc has them; empty when there is none.
std::string ProcField(const char* file, std::string_view key) {
  std::ifstream lines(file);
  for (std::string line; std::getline(lines, line);) {
    const size_t colon = line.find(':');
    if (line.rfind(key, 0) != 0 || colon == std::string::npos) continue;
    const size_t start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return "";
}

ByteCount MemoryField(std::string_view key) {
  const std::string kibibytes = ProcField("/proc/meminfo", key);  // "16384256 kB"
  return ByteCount{std::strtoull(kibibytes.c_str(), nullptr, 10) * 1024};
}

Result<std::string> DescribeTriton() {
  TRY_ASSIGN(const fs::path program, FindTritonServer(""));
  TRY_ASSIGN(const std::string version, ProbeTritonVersion(program));
  return fmt::format("{} ({})", version, program.string());
}

Result<std::string> DescribeBackend() {
  TRY_ASSIGN(const fs::path backends, FindBackends(""));
  return (backends / "tensorrt" / "libtriton_tensorrt.so").string();
}

Result<std::string> DescribeSeveralGpus() {
  TRY(engine::CheckSeveralGpus());
  return "in this build";
}

// TensorRT's and TensorRT-RTX's, where this was built with their headers and their library opens.
Result<std::string> DescribeEngineBuilders() {
  std::vector<std::string> found;
  std::string reason;
  for (const char* kind : {"tensorrt", "tensorrt-rtx"}) {
    const Result<EngineBuilder> builder = FindEngineBuilder(kind, false, "");
    const Result<SharedLibrary> library = builder ? SharedLibrary::Open(builder->libraries)
                                                  : Result<SharedLibrary>(tl::unexpected(builder.error()));
    if (library) found.push_back(fmt::format("{} ({})", kind, library->name()));
    if (!library) reason += (reason.empty() ? "" : "; ") + library.error().message;
  }
  if (found.empty()) return Fail(Code::kNotFound, "{}", reason);
  return fmt::to_string(fmt::join(found, ", "));
}

Part Describe(std::string name, const Result<std::string>& detail) {
  return detail ? Part{std::move(name), true, *detail} : Part{std::move(name), false, detail.error().message};
}

bool Has(const Machine& machine, std::string_view name) {
  return std::any_of(machine.parts.begin(), machine.parts.end(),
                     [&](const Part& part) { return part.found && part.name == name; });
}

}  // namespace

Machine ProbeHost() {
  Machine machine;
  machine.cpu = ProcField("/proc/cpuinfo", "model name");
  machine.cores = UsableCores();
  machine.memory = MemoryField("MemTotal");
  machine.available = MemoryField("MemAvailable");
  return machine;
}

Machine ProbeMachine() {
  Machine machine = ProbeHost();
  machine.parts.push_back({"OpenVINO", true, ov::get_openvino_version().buildNumber});
  machine.parts.push_back(Describe("backend", DescribeBackend()));
  machine.parts.push_back(Describe("Triton", DescribeTriton()));
  auto gpus = ProbeGpus();
  if (gpus) machine.gpus = *gpus;
  machine.parts.push_back(gpus ? Part{"NVIDIA driver", true, gpus->driver}
                               : Part{"NVIDIA driver", false, gpus.error().message});
  machine.parts.push_back(Describe("GPU ranks", DescribeSeveralGpus()));
  machine.parts.push_back(Describe("NCCL", NcclVersion()));
  machine.parts.push_back(Describe("TensorRT", engine::TensorRtVersion()));
  machine.parts.push_back(Describe("engine builder", DescribeEngineBuilders()));
  return machine;
}

std::vector<Ability> AbilitiesOf(const Machine& machine) {
  std::vector<Ability> abilities{{"split and verify models on CPU ranks", {}},
                                 {"serve on CPU ranks", {}},
                                 {"build TensorRT engines", {}},
                                 {"serve on several GPUs", {}}};
  const auto need = [&](Ability& ability, const char* part) {
    if (!Has(machine, part)) ability.missing.emplace_back(part);
  };
  need(abilities[0], "OpenVINO");
  for (const char* part : {"OpenVINO", "backend", "Triton"}) need(abilities[1], part);
  need(abilities[2], "engine builder");
  for (const char* part : {"backend", "Triton", "GPU ranks", "NVIDIA driver", "NCCL", "TensorRT"})
    need(abilities[3], part);
  if (machine.gpus.gpus.size() < 2) abilities[3].missing.emplace_back("two GPUs");
  return abilities;
}

}  // namespace tessera::cli
