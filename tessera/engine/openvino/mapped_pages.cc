#include "tessera/engine/openvino/mapped_pages.h"

#include <sys/mman.h>

#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <system_error>
#include <vector>

namespace tessera::engine::openvino {
namespace {

struct Mapping {
  uintptr_t begin = 0;
  uintptr_t end = 0;
  std::string access;  // "r--p"
  std::string file;    // "" = of no file
};

// A line of /proc/self/maps: "begin-end access offset device inode file".
std::optional<Mapping> ParseLine(const std::string& line) {
  std::istringstream fields(line);
  Mapping mapping;
  char dash = 0;
  std::string offset;
  std::string device;
  std::string inode;
  fields >> std::hex >> mapping.begin >> dash >> mapping.end >> mapping.access >> offset >> device >> inode >>
      std::ws;
  if (!fields && mapping.access.empty()) return std::nullopt;
  std::getline(fields, mapping.file);
  return mapping;
}

}  // namespace

ByteCount ReleaseMappedPages(const std::filesystem::path& directory) {
  std::error_code failed;
  const std::string below = std::filesystem::canonical(directory, failed).string() + "/";
  if (failed) return ByteCount{0};
  std::vector<Mapping> data;
  std::set<std::string> changed;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    const std::optional<Mapping> mapping = ParseLine(line);
    if (!mapping || !mapping->file.starts_with(below)) continue;
    if (mapping->access.starts_with("r--"))
      data.push_back(*mapping);
    else
      changed.insert(mapping->file);
  }
  uint64_t bytes = 0;
  for (const Mapping& mapping : data) {
    // Changes of a private mapping would be lost. A program's or library's read-only pages were written to,
    // too, when it was loaded.
    if (changed.contains(mapping.file)) continue;
    const size_t size = mapping.end - mapping.begin;
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel names mappings by number
    if (madvise(reinterpret_cast<void*>(mapping.begin), size, MADV_DONTNEED) == 0) bytes += size;
  }
  return ByteCount{bytes};
}

}  // namespace tessera::engine::openvino
