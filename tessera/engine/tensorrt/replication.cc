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

std::string WayFrom(const GatherSizes& sizes) {
  if (sizes.from_host == SIZE_MAX) return "a copy to each GPU";
  return fmt::format("slices and an all-gather from {} on{}", SizeText(sizes.from_host),
                     sizes.from_gpu == SIZE_MAX ? ", a copy to each other GPU from a rank's own" : "");
}

}  // namespace

Result<GatherSizes> ChooseGatherSizes(const TensorRtOptions& options, std::string_view model,
                                      const std::shared_ptr<Peers>& peers, RankThreads& threads,
                                      const std::vector<DeviceId>& devices, Deadline deadline) {
  auto chosen = [&](const GatherSizes& sizes, const std::string& reason) {
    TESSERA_LOG(kInfo, "model '{}': inputs that all ranks need: {} ({})", model, WayFrom(sizes), reason);
    return sizes;
  };
  const ReplicationWay way = options.replication;
  if (way == ReplicationWay::kCopies) return chosen({}, "as configured");
  if (way == ReplicationWay::kGather)
    return chosen({options.gather_from, options.gather_from}, "as configured");
  const auto apart = FirstNotLinked(devices, cuda::HasNvLink);
  auto sizes_for = [&](size_t from_host) { return GatherSizesFor(from_host, devices.size(), !apart); };
  std::string reason = "probed as configured";
  if (way == ReplicationWay::kAuto) {
    if (!apart) return chosen(sizes_for(options.gather_from), "NVLink between all GPUs");
    reason =
        fmt::format("no NVLink known between GPUs {} and {}", apart->first.value(), apart->second.value());
  }
  TRY_ASSIGN(const std::vector<ReplicationTime> times, TimesOn(peers, threads, devices, deadline));
  return chosen(sizes_for(FasterGatheredFrom(times)), fmt::format("{}: {}", reason, Described(times)));
}

}  // namespace tessera::engine
