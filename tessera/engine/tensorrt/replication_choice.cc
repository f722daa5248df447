#include "tessera/engine/tensorrt/replication_choice.h"

#include <fmt/format.h>

namespace tessera::engine {
namespace {

bool IsFasterGathered(const ReplicationTime& time) {
  return time.gather * 10 < time.copies * 9;
}

double Micros(std::chrono::nanoseconds time) {
  return std::chrono::duration<double, std::micro>(time).count();
}

}  // namespace

size_t FasterGatheredFrom(const std::vector<ReplicationTime>& times) {
  size_t from = SIZE_MAX;
  for (auto time = times.rbegin(); time != times.rend() && IsFasterGathered(*time); ++time) {
    from = time->bytes;
  }
  return from;
}

GatherSizes GatherSizesFor(size_t from_host, size_t ranks, bool linked) {
  const size_t most_copies = linked ? 3 : 1;
  return {from_host, ranks - 1 <= most_copies ? SIZE_MAX : from_host};
}

std::string SizeText(size_t bytes) {
  constexpr size_t kKilo = 1 << 10;
  constexpr size_t kMega = 1 << 20;
  if (bytes >= kMega && bytes % kMega == 0) return fmt::format("{} MB", bytes / kMega);
  if (bytes >= kKilo && bytes % kKilo == 0) return fmt::format("{} KB", bytes / kKilo);
  return fmt::format("{} bytes", bytes);
}

std::string Described(const std::vector<ReplicationTime>& times) {
  std::string text;
  for (const ReplicationTime& time : times) {
    const bool first = text.empty();
    text +=
        fmt::format("{}{} {:.0f}{}, {:.0f}{}", first ? "" : "; ", SizeText(time.bytes), Micros(time.copies),
                    first ? " us copied" : "", Micros(time.gather), first ? " gathered" : "");
  }
  return text;
}

std::optional<std::pair<DeviceId, DeviceId>> FirstNotLinked(const std::vector<DeviceId>& devices,
                                                            const Linked& linked) {
  for (size_t i = 0; i < devices.size(); ++i) {
    for (size_t j = i + 1; j < devices.size(); ++j) {
      const Result<bool> told = linked(devices[i], devices[j]);
      if (!told || !*told) return std::pair(devices[i], devices[j]);
    }
  }
  return std::nullopt;
}

}  // namespace tessera::engine
