#include "tessera/engine/tensorrt/replication.h"

#include <map>
#include <string>

#include <fmt/format.h>

#include "tessera/base/log.h"
#include "tessera/base/mutex.h"
#include "tessera/cuda/nvlink.h"
#include "tessera/engine/tensorrt/replication_probe.h"

namespace tessera::engine {
namespace {

// What was found on each list of GPUs.
struct Found {
  Mutex mutex;
  std::map<std::vector<DeviceId>, std::vector<ReplicationTime>> times GUARDED_BY(mutex);
};

// Two models that load at the same time probe one after the other: together they would time each other.
Result<std::vector<ReplicationTime>> TimesOn(const std::shared_ptr<Peers>& peers, RankThreads& threads,
                                             const std::vector<DeviceId>& devices, Deadline deadline) {
  static Found found;
  MutexLock lock(found.mutex);
  if (auto known = found.times.find(devices); known != found.times.end()) return known->second;
  TRY_ASSIGN(std::vector<ReplicationTime> times, ProbeReplication(peers, threads, devices, deadline));
  found.times.emplace(devices, times);
  return times;
}

std::string WayFrom(size_t gather_from) {
  return gather_from == SIZE_MAX ? "a copy to each GPU"
                                 : fmt::format("slices and an all-gather from {} on", SizeText(gather_from));
}

void LogChoice(std::string_view model, size_t gather_from, const std::string& reason) {
  TESSERA_LOG(kInfo, "model '{}': inputs that all ranks need: {} ({})", model, WayFrom(gather_from), reason);
}

}  // namespace

Result<size_t> ChooseGatherFrom(const TensorRtOptions& options, std::string_view model,
                                const std::shared_ptr<Peers>& peers, RankThreads& threads,
                                const std::vector<DeviceId>& devices, Deadline deadline) {
  auto chosen = [&](size_t gather_from, const std::string& reason) {
    LogChoice(model, gather_from, reason);
    return gather_from;
  };
  const ReplicationWay way = options.replication;
  if (way == ReplicationWay::kCopies) return chosen(SIZE_MAX, "as configured");
  if (way == ReplicationWay::kGather) return chosen(options.gather_from, "as configured");
  std::string reason = "probed as configured";
  if (way == ReplicationWay::kAuto) {
    const auto apart = FirstNotLinked(devices, cuda::HasNvLink);
    if (!apart) return chosen(options.gather_from, "NVLink between all GPUs");
    reason =
        fmt::format("no NVLink known between GPUs {} and {}", apart->first.value(), apart->second.value());
  }
  TRY_ASSIGN(const std::vector<ReplicationTime> times, TimesOn(peers, threads, devices, deadline));
  return chosen(FasterGatheredFrom(times), fmt::format("{}: {}", reason, Described(times)));
}

}  // namespace tessera::engine
