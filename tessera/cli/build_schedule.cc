#include "tessera/cli/build_schedule.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>

#include "tessera/base/cores.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// Behind what the user says: the folder may be one with all of the system's libraries.
std::string LibraryPathWith(const fs::path& folder) {
  const char* here = std::getenv("LD_LIBRARY_PATH");
  const std::string before = here == nullptr || *here == '\0' ? "" : fmt::format("{}:", here);
  return fmt::format("LD_LIBRARY_PATH={}{}", before, folder.string());
}

}  // namespace

std::vector<std::string> GpusToBuildOn(const std::vector<build::VisibleGpu>& gpus) {
  std::vector<std::string> alike;
  for (const build::VisibleGpu& gpu : gpus) {
    const build::VisibleGpu& first = gpus.front();
    if (gpu.name == first.name && gpu.compute_capability == first.compute_capability)
      alike.push_back(gpu.uuid);
  }
  if (alike.size() == 1) alike.clear();
  return alike;
}

BuildSchedule ScheduleFor(const EngineBuilder& builder, size_t ranks, size_t jobs,
                          const std::string& library) {
  BuildSchedule schedule;
  std::vector<std::string> gpus;
  if (builder.measures) {
    // Without a driver or a GPU the builder itself says what is missing.
    if (const auto visible = build::VisibleGpus()) gpus = GpusToBuildOn(*visible);
    schedule.first_alone = true;
    if (jobs == 0) jobs = std::max<size_t>(gpus.size(), 1);
  }
  if (jobs == 0) jobs = static_cast<size_t>(UsableCores());
  for (size_t i = 0; i < std::min(jobs, ranks); ++i) {
    std::vector<std::string>& place = schedule.places.emplace_back();
    if (!gpus.empty()) place.push_back("CUDA_VISIBLE_DEVICES=" + gpus[i % gpus.size()]);
    if (fs::path(library).has_parent_path())
      place.push_back(LibraryPathWith(fs::absolute(library).parent_path()));
  }
  return schedule;
}

}  // namespace tessera::cli
