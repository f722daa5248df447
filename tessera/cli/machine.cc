#include "tessera/cli/machine.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <openvino/core/version.hpp>

#include "tessera/cli/http.h"
#include "tessera/cli/installation.h"
#include "tessera/cli/triton_server.h"

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

int UsableCores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set)
                                                      : static_cast<int>(sysconf(_SC_NPROCESSORS_ONLN));
}

// A directory that goes with this object.
class ScratchDirectory {
 public:
  ScratchDirectory() {
    std::string name = (fs::temp_directory_path() / "tessera-doctor-XXXXXX").string();
    if (mkdtemp(name.data()) != nullptr) path_ = name;
  }
  ~ScratchDirectory() {
    std::error_code error;
    if (!path_.empty()) fs::remove_all(path_, error);
  }
  ScratchDirectory(const ScratchDirectory&) = delete;
  ScratchDirectory& operator=(const ScratchDirectory&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Starts the server without models and asks it; nothing else tells that it runs here.
Result<std::string> RunningTritonVersion(const fs::path& program) {
  const ScratchDirectory scratch;
  ServerOptions options{.program = program, .backends = scratch.path(), .repository = scratch.path()};
  for (int* port : {&options.http_port, &options.grpc_port, &options.metrics_port}) {
    TRY_ASSIGN(*port, FreePort(options.address, 0));
  }
  options.extra = {"--log-warning=false", "--log-error=false"};
  SignalQueue signals;
  TRY_ASSIGN(ChildProcess child, ChildProcess::Start(ServerCommand(options)));
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (std::chrono::steady_clock::now() < end) {
    auto answer = HttpRequest(options.address, options.http_port, "GET", "/v2", std::chrono::seconds(2));
    if (answer && answer->status == 200) {
      const auto about = nlohmann::json::parse(answer->body, nullptr, false);
      return about.is_object() ? about.value("version", "unknown") : "unknown";
    }
    if (auto code = child.TryWait())
      return Fail(Code::kUnavailable, "{} ends with {}", program.string(), *code);
    const int signal = signals.Next(std::chrono::milliseconds(20));
    if (signal == SIGINT || signal == SIGTERM) return Fail(Code::kCancelled, "interrupted");
  }
  return Fail(Code::kDeadline, "{} does not start within 20 s", program.string());
}

Result<std::string> DescribeTriton() {
  TRY_ASSIGN(const fs::path program, FindTritonServer(""));
  TRY_ASSIGN(const std::string version, RunningTritonVersion(program));
  return fmt::format("{} ({})", version, program.string());
}

Result<std::string> DescribeBackend() {
  TRY_ASSIGN(const fs::path backends, FindBackends(""));
  return (backends / "tensorrt" / "libtriton_tensorrt.so").string();
}

Part Describe(std::string name, const Result<std::string>& detail) {
  return detail ? Part{std::move(name), true, *detail} : Part{std::move(name), false, detail.error().message};
}

bool Has(const Machine& machine, std::string_view name) {
  return std::any_of(machine.parts.begin(), machine.parts.end(),
                     [&](const Part& part) { return part.found && part.name == name; });
}

}  // namespace

Machine ProbeMachine() {
  Machine machine;
  machine.cpu = ProcField("/proc/cpuinfo", "model name");
  machine.cores = UsableCores();
  machine.memory = MemoryField("MemTotal");
  machine.available = MemoryField("MemAvailable");
  machine.parts.push_back({"OpenVINO", true, ov::get_openvino_version().buildNumber});
  machine.parts.push_back(Describe("backend", DescribeBackend()));
  machine.parts.push_back(Describe("Triton", DescribeTriton()));
  auto gpus = ProbeGpus();
  if (gpus) machine.gpus = *gpus;
  machine.parts.push_back(gpus ? Part{"NVIDIA driver", true, gpus->driver}
                               : Part{"NVIDIA driver", false, gpus.error().message});
  machine.parts.push_back(Describe("NCCL", NcclVersion()));
  machine.parts.push_back(Describe("TensorRT", TensorRtVersion()));
  return machine;
}

std::vector<Ability> AbilitiesOf(const Machine& machine) {
  std::vector<Ability> abilities{
      {"split and verify models on CPU ranks", {}}, {"serve on CPU ranks", {}}, {"serve on GPU ranks", {}}};
  const auto need = [&](Ability& ability, const char* part) {
    if (!Has(machine, part)) ability.missing.emplace_back(part);
  };
  need(abilities[0], "OpenVINO");
  for (const char* part : {"OpenVINO", "backend", "Triton"}) need(abilities[1], part);
  for (const char* part : {"backend", "Triton", "NVIDIA driver", "NCCL", "TensorRT"})
    need(abilities[2], part);
  if (machine.gpus.gpus.empty()) abilities[2].missing.emplace_back("a GPU");
  return abilities;
}

}  // namespace tessera::cli
