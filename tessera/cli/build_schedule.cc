#include "tessera/cli/build_schedule.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <sstream>

#include <fmt/format.h>

#include "tessera/base/cores.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;

// CUDA takes the entries before the first that names no GPU; those that are no numbers are UUIDs.
bool NamesGpu(const std::string& entry, size_t count) {
  size_t index = 0;
  const char* end = entry.data() + entry.size();
  const auto [read_to, error] = std::from_chars(entry.data(), end, index);
  if (error == std::errc() && read_to == end) return index < count;
  return entry.starts_with("GPU-") || entry.starts_with("MIG-");
}

std::string LibraryPathWith(const fs::path& folder) {
  const char* here = std::getenv("LD_LIBRARY_PATH");
  const std::string rest = here == nullptr || *here == '\0' ? "" : fmt::format(":{}", here);
  return fmt::format("LD_LIBRARY_PATH={}{}", folder.string(), rest);
}

}  // namespace

std::vector<std::string> GpusToBuildOn(const std::vector<Gpu>& gpus, const char* visible) {
  const bool alike = std::all_of(gpus.begin(), gpus.end(), [&](const Gpu& gpu) {
    return gpu.compute_capability == gpus.front().compute_capability;
  });
  std::vector<std::string> entries;
  if (!alike) return entries;
  if (visible == nullptr) {
    for (size_t i = 0; i < gpus.size(); ++i) entries.push_back(std::to_string(i));
    return entries;
  }
  std::istringstream list(visible);
  for (std::string entry; std::getline(list, entry, ',') && NamesGpu(entry, gpus.size());)
    entries.push_back(entry);
  return entries;
}

BuildSchedule ScheduleFor(const EngineBuilder& builder, size_t jobs, const std::string& library) {
  BuildSchedule schedule;
  std::vector<std::string> gpus;
  if (builder.measures) {
    const Result<Gpus> found = ProbeGpus();  // without one the builder itself says what is missing
    if (found) gpus = GpusToBuildOn(found->gpus, std::getenv("CUDA_VISIBLE_DEVICES"));
    schedule.first_alone = true;
    if (jobs == 0) jobs = std::max<size_t>(gpus.size(), 1);
  }
  if (jobs == 0) jobs = static_cast<size_t>(UsableCores());
  for (size_t i = 0; i < jobs; ++i) {
    std::vector<std::string>& place = schedule.places.emplace_back();
    if (!gpus.empty()) place.push_back("CUDA_VISIBLE_DEVICES=" + gpus[i % gpus.size()]);
    if (fs::path(library).has_parent_path())
      place.push_back(LibraryPathWith(fs::absolute(library).parent_path()));
  }
  return schedule;
}

}  // namespace tessera::cli
