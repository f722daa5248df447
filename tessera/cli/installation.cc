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

constexpr const char* kInWheel = "site-packages/pytriton/tritonserver/bin/tritonserver";

fs::path ProgramDirectory() {
  std::error_code error;
  return fs::read_symlink("/proc/self/exe", error).parent_path();
}

// The server in each Python version's packages of the environment.
void AddVenv(const fs::path& venv, std::vector<fs::path>& places) {
  std::error_code error;  // no environment there: nothing to add
  for (const auto& python : fs::directory_iterator(venv / "lib", error)) {
    if (python.path().filename().string().starts_with("python")) places.push_back(python.path() / kInWheel);
  }
}

std::vector<fs::path> UsualPlaces() {
  std::vector<fs::path> places;
  AddVenv(TESSERA_VENV, places);
  for (fs::path at = ProgramDirectory(); at.has_relative_path(); at = at.parent_path())
    AddVenv(at / ".venv", places);
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

}  // namespace tessera::cli
