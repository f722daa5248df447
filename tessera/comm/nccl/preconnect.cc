#include "tessera/comm/nccl/preconnect.h"

#include "tessera/comm/nccl/grouped.h"
#include "tessera/comm/nccl/status.h"

namespace tessera::comm {
namespace {

// Of a rank's buffer: where NCCL takes its bandwidth algorithms.
constexpr size_t kLargeBytes = Lane::kBytes;
constexpr size_t kSmallBytes = 1024;

Result<void> RunCollectives(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                            size_t bytes, Deadline deadline) {
  const size_t count = bytes / sizeof(float) / lanes.size();  // a rank's block
  const size_t all = count * lanes.size();
  auto block = [&](const Lane& lane, size_t r) { return lane.data() + r * count * sizeof(float); };
  const std::vector<IssueOnLane> kinds = {
      [&](size_t r, const Lane& l) {
        return ncclAllReduce(l.data(), l.data(), all, ncclFloat, ncclSum, comms[r], l.stream().get());
      },
      [&](size_t r, const Lane& l) {
        return ncclAllGather(block(l, r), l.data(), count, ncclFloat, comms[r], l.stream().get());
      },
      [&](size_t r, const Lane& l) {
        return ncclReduceScatter(l.data(), block(l, r), count, ncclFloat, ncclSum, comms[r],
                                 l.stream().get());
      },
      [&](size_t r, const Lane& l) {
        return ncclBroadcast(l.data(), l.data(), all, ncclFloat, 0, comms[r], l.stream().get());
      },
      [&](size_t r, const Lane& l) {
        return ncclReduce(l.data(), l.data(), all, ncclFloat, ncclSum, 0, comms[r], l.stream().get());
      },
  };
  for (const IssueOnLane& kind : kinds) TRY(RunGrouped(lanes, comms, kind, deadline));
  return {};
}

// One block to the next rank, then to the one after it, ..: every pair, both ways.
Result<void> RunPairs(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                      Deadline deadline) {
  const size_t world = lanes.size();
  for (size_t distance = 1; distance < world; ++distance) {
    auto exchange = [&](size_t r, const Lane& l) {
      const int to = static_cast<int>((r + distance) % world);
      const int from = static_cast<int>((r + world - distance) % world);
      const ncclResult_t sent = ncclSend(l.data(), kSmallBytes, ncclInt8, to, comms[r], l.stream().get());
      if (!IsFine(sent)) return sent;
      return ncclRecv(l.data() + kSmallBytes, kSmallBytes, ncclInt8, from, comms[r], l.stream().get());
    };
    TRY(RunGrouped(lanes, comms, exchange, deadline));
  }
  return {};
}

// Before the caller gives back what the collectives use: that waits for them.
template <class Run>
Result<void> OrAbort(Run run, const AbortCollectives& abort) {
  Result<void> ran = run();
  if (!ran) abort(ran.error());
  return ran;
}

}  // namespace

Result<void> ConnectCollectives(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                                Deadline deadline, const AbortCollectives& abort) {
  TRY_ASSIGN(const std::vector<Lane> lanes, TakeLanes(devices));
  return OrAbort(
      [&]() -> Result<void> {
        for (size_t bytes : {kSmallBytes, kLargeBytes}) TRY(RunCollectives(lanes, comms, bytes, deadline));
        return {};
      },
      abort);
}

Result<void> ConnectPairs(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                          Deadline deadline, const AbortCollectives& abort) {
  TRY_ASSIGN(const std::vector<Lane> lanes, TakeLanes(devices));
  return OrAbort([&] { return RunPairs(lanes, comms, deadline); }, abort);
}

}  // namespace tessera::comm
