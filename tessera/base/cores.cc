#include "tessera/base/cores.h"

#include <sched.h>

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tessera/base/file.h"

namespace tessera {
namespace {

namespace fs = std::filesystem;

constexpr double kNoLimit = std::numeric_limits<double>::infinity();

// Not std::thread::hardware_concurrency(): from glibc 2.35 on that counts cores outside the mask, too.
int CoresOfMask() {
  constexpr size_t kMostSets = 64;  // of 1024 cores each
  for (size_t sets = 1; sets <= kMostSets; sets *= 2) {
    std::vector<cpu_set_t> mask(sets);
    const size_t bytes = sets * sizeof(cpu_set_t);
    if (sched_getaffinity(0, bytes, mask.data()) == 0) return CPU_COUNT_S(bytes, mask.data());
    if (errno != EINVAL) break;  // EINVAL: the kernel has more cores than that
  }
  return static_cast<int>(std::thread::hardware_concurrency());
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

bool Lists(const std::string& names, const std::string& name) {
  const std::vector<std::string> parts = Split(names, ',');
  return std::find(parts.begin(), parts.end(), name) != parts.end();
}

// A file that is not there has no lines.
std::vector<std::string> Lines(const fs::path& file) {
  return Split(ReadFile(file).value_or(""), '\n');
}

// The two interfaces of the kernel. Source: its documentation, cgroup-v2 "cpu.max" and cgroup-v1 sched-bwc.
enum class Version { kOne, kTwo };

// A hierarchy in the file system that holds CPU quotas.
struct Mount {
  Version version;
  std::string root;  // what of the hierarchy is mounted
  std::string at;
};

// "31 23 0:28 /docker/1 /sys/fs/cgroup/cpu rw,nosuid shared:4 - cgroup cgroup rw,cpu,cpuacct"
std::optional<Mount> MountOf(const std::string& line) {
  const std::vector<std::string> words = Split(line, ' ');
  const auto dash = std::find(words.begin(), words.end(), "-");
  if (dash - words.begin() < 6 || words.end() - dash < 4) return std::nullopt;
  if (dash[1] == "cgroup2") return Mount{Version::kTwo, words[3], words[4]};
  if (dash[1] == "cgroup" && Lists(dash[3], "cpu")) return Mount{Version::kOne, words[3], words[4]};
  return std::nullopt;
}

// Where this process is: "0::/pod/container" of version 2, "4:cpu,cpuacct:/pod/container" of version 1.
std::optional<std::string> GroupIn(const std::vector<std::string>& groups, Version version) {
  for (const std::string& line : groups) {
    const size_t names = line.find(':');
    const size_t path = names == std::string::npos ? names : line.find(':', names + 1);
    if (path == std::string::npos) continue;
    const std::string controllers = line.substr(names + 1, path - names - 1);
    const bool found = version == Version::kTwo ? controllers.empty() : Lists(controllers, "cpu");
    if (found) return line.substr(path + 1);
  }
  return std::nullopt;
}

// `group` as seen from the mount; a container may see its own directory as the mount's whole and know no
// other.
fs::path BelowMount(const std::string& group, const std::string& root) {
  const fs::path below = fs::path(group).lexically_relative(root);
  return below.empty() || *below.begin() == ".." ? fs::path(".") : below;
}

double Number(const std::string& text) {
  return std::strtod(text.c_str(), nullptr);
}

double Cores(double quota, double period) {
  return quota > 0 && period > 0 ? quota / period : kNoLimit;
}

// In cores; no file, "max" and -1 are no limit.
double QuotaOf(const fs::path& directory, Version version) {
  if (version == Version::kOne) {
    return Cores(Number(ReadFile(directory / "cpu.cfs_quota_us").value_or("")),
                 Number(ReadFile(directory / "cpu.cfs_period_us").value_or("")));
  }
  const std::vector<std::string> words = Split(ReadFile(directory / "cpu.max").value_or(""), ' ');
  return words.size() < 2 ? kNoLimit : Cores(Number(words[0]), Number(words[1]));
}

}  // namespace

int WithinCpuQuota(int cores, const fs::path& root) {
  const std::vector<std::string> groups = Lines(root / "proc/self/cgroup");
  double least = kNoLimit;
  for (const std::string& line : Lines(root / "proc/self/mountinfo")) {
    const std::optional<Mount> mount = MountOf(line);
    const auto group = mount ? GroupIn(groups, mount->version) : std::nullopt;
    if (!group) continue;
    fs::path directory = root / fs::path(mount->at).relative_path();
    least = std::min(least, QuotaOf(directory, mount->version));
    for (const fs::path& name : BelowMount(*group, mount->root)) {
      directory /= name;
      least = std::min(least, QuotaOf(directory, mount->version));
    }
  }
  return std::max(1, least < cores ? static_cast<int>(std::ceil(least)) : cores);
}

int UsableCores() {
  return WithinCpuQuota(CoresOfMask());
}

std::chrono::microseconds AwakeBetweenSteps() {
  constexpr int kCoresToSpin = 4;
  return std::chrono::microseconds(UsableCores() >= kCoresToSpin ? 300 : 0);
}

}  // namespace tessera
