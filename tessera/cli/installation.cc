#include "tessera/cli/installation.h"

#include <algorithm>
#include <cstdlib>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTritonInWheel = "site-packages/pytriton/tritonserver/bin/tritonserver";

struct BuilderKind {
  const char* name;
  const char* program;
  const char* library;   // as the loader knows it
  const char* in_wheel;  // NVIDIA's Python package of it
  bool measures;
};
constexpr BuilderKind kTensorRt{"tensorrt", "tessera-build-tensorrt", "libnvinfer.so.11",
                                "site-packages/tensorrt_libs/libnvinfer.so.11", true};
constexpr BuilderKind kTensorRtRtx{"tensorrt-rtx", "tessera-build-tensorrt-rtx", "libtensorrt_rtx.so.1",
                                   "site-packages/tensorrt_rtx_libs/libtensorrt_rtx.so.1", false};

fs::path ProgramDirectory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

// `file` in each Python version's packages of the environment.
void AddVenv(const fs::path& venv, const char* file, std::vector<fs::path>& places) {
  std::error_code error;  // no environment there: nothing to add
  for (const auto& python : fs::directory_iterator(venv / "lib", error)) {
    if (python.path().filename().string().starts_with("python")) places.push_back(python.path() / file);
  }
}

// In the environment that this was built with, and in .venv of the directories above this program.
std::vector<fs::path> InVenvs(const char* file) {
  std::vector<fs::path> places;
  AddVenv(TESSERA_VENV, file, places);
  for (fs::path at = ProgramDirectory(); at.has_relative_path(); at = at.parent_path())
    AddVenv(at / ".venv", file, places);
  return places;
}

std::vector<fs::path> UsualPlaces() {
  std::vector<fs::path> places = InVenvs(kTritonInWheel);
  places.emplace_back("/opt/tritonserver/bin/tritonserver");
  const char* path = std::getenv("PATH");
  std::istringstream entries(path == nullptr ? "" : path);
  for (std::string entry; std::getline(entries, entry, ':');) {
    if (!entry.empty()) places.push_back(fs::path(entry) / "tritonserver");
  }
  return places;
}

bool IsFile(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error);
}

}  // namespace

Result<fs::path> FindTritonServer(const std::string& given) {
  std::vector<fs::path> places = UsualPlaces();
  if (!given.empty()) places = {given, fs::path(given) / "bin" / "tritonserver"};
  const auto found = std::find_if(places.begin(), places.end(), IsFile);
  if (found != places.end()) return fs::absolute(*found);
  if (!given.empty()) return Fail(Code::kNotFound, "--triton '{}': no tritonserver there", given);
  return Fail(Code::kNotFound,
              "no tritonserver in {}, a .venv above this program, /opt/tritonserver or the PATH: give "
              "--triton",
              TESSERA_VENV);
}

Result<fs::path> FindBackends(const std::string& given) {
  const fs::path directory = given.empty() ? ProgramDirectory().parent_path() / "backends" : fs::path(given);
  const fs::path library = directory / "tensorrt" / "libtriton_tensorrt.so";
  if (!IsFile(library))
    return Fail(Code::kNotFound, "no backend '{}': build it, or give --backends", library.string());
  return fs::absolute(directory);
}

Result<EngineBuilder> FindEngineBuilder(const std::string& given, bool for_other_gpus,
                                        const std::string& library) {
  const BuilderKind* kinds[] = {&kTensorRt, &kTensorRtRtx};
  if (for_other_gpus) std::swap(kinds[0], kinds[1]);
  bool known = given.empty();
  for (const BuilderKind* kind : kinds) {
    if (!given.empty() && given != kind->name) continue;
    known = true;
    const fs::path program = ProgramDirectory() / kind->program;
    if (!IsFile(program)) continue;
    EngineBuilder found{kind->name, program, {}, kind->measures};
    if (!library.empty()) {
      found.libraries = {library};
    } else {
      found.libraries = {kind->library};
      for (const fs::path& place : InVenvs(kind->in_wheel)) {
        if (IsFile(place)) found.libraries.push_back(place.string());
      }
    }
    return found;
  }
  if (!known) return Fail(Code::kInvalidArgument, "--builder '{}': wanted tensorrt or tensorrt-rtx", given);
  return Fail(Code::kNotFound,
              "no {} in '{}': CMake found no headers of {}; set TENSORRT_ROOT and build again",
              given.empty() ? "engine builder" : fmt::format("tessera-build-{}", given),
              ProgramDirectory().string(), given == kTensorRtRtx.name ? "TensorRT-RTX" : "TensorRT");
}

}  // namespace tessera::cli
