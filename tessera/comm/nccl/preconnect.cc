#include "tessera/comm/nccl/preconnect.h"

#include <functional>
#include <thread>

#include "tessera/comm/nccl/status.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"

namespace tessera::comm {
namespace {

constexpr size_t kLargeBytes = size_t{16}
                               << 20;  // of a rank's buffer: where NCCL takes its bandwidth algorithms
constexpr size_t kSmallBytes = 1024;

struct Lane {
  ncclComm_t comm;
  cuda::Stream stream;
  cuda::DeviceBuffer buffer;
};

Result<std::vector<Lane>> MakeLanes(const std::vector<DeviceId>& devices,
                                    const std::vector<ncclComm_t>& comms, size_t bytes) {
  std::vector<Lane> lanes;
  for (size_t r = 0; r < devices.size(); ++r) {
    TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(devices[r]));
    TRY_ASSIGN(cuda::DeviceBuffer buffer, cuda::DeviceBuffer::Create(devices[r], bytes));
    lanes.push_back(Lane{comms[r], std::move(stream), std::move(buffer)});
  }
  return lanes;
}

using Issue = std::function<ncclResult_t(size_t rank, const Lane& lane)>;

Result<void> RunGrouped(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                        const Issue& issue, Deadline deadline) {
  NCCL_TRY(nullptr, ncclGroupStart());
  ncclResult_t issued = ncclSuccess;
  for (size_t r = 0; r < lanes.size() && IsFine(issued); ++r) issued = issue(r, lanes[r]);
  NCCL_TRY(nullptr, ncclGroupEnd());
  NCCL_TRY(nullptr, issued);
  TRY(WaitReady(comms, deadline));
  for (const Lane& lane : lanes) TRY(lane.stream.Drain(deadline));
  return {};
}

Result<void> RunCollectives(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms,
                            size_t bytes, Deadline deadline) {
  const size_t count = bytes / sizeof(float) / lanes.size();  // a rank's block
  const size_t all = count * lanes.size();
  auto block = [&](const Lane& lane, size_t r) { return lane.buffer.data() + r * count * sizeof(float); };
  const std::vector<Issue> kinds = {
      [&](size_t, const Lane& l) {
        return ncclAllReduce(l.buffer.data(), l.buffer.data(), all, ncclFloat, ncclSum, l.comm,
                             l.stream.get());
      },
      [&](size_t r, const Lane& l) {
        return ncclAllGather(block(l, r), l.buffer.data(), count, ncclFloat, l.comm, l.stream.get());
      },
      [&](size_t r, const Lane& l) {
        return ncclReduceScatter(l.buffer.data(), block(l, r), count, ncclFloat, ncclSum, l.comm,
                                 l.stream.get());
      },
      [&](size_t, const Lane& l) {
        return ncclBroadcast(l.buffer.data(), l.buffer.data(), all, ncclFloat, 0, l.comm, l.stream.get());
      },
      [&](size_t, const Lane& l) {
        return ncclReduce(l.buffer.data(), l.buffer.data(), all, ncclFloat, ncclSum, 0, l.comm,
                          l.stream.get());
      },
  };
  for (const Issue& kind : kinds) TRY(RunGrouped(lanes, comms, kind, deadline));
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
      const ncclResult_t sent = ncclSend(l.buffer.data(), kSmallBytes, ncclInt8, to, l.comm, l.stream.get());
      if (!IsFine(sent)) return sent;
      return ncclRecv(l.buffer.data() + kSmallBytes, kSmallBytes, ncclInt8, from, l.comm, l.stream.get());
    };
    TRY(RunGrouped(lanes, comms, exchange, deadline));
  }
  return {};
}

// Before the caller frees what the collectives use: that waits for them.
template <class Run>
Result<void> OrAbort(Run run, const AbortCollectives& abort) {
  Result<void> ran = run();
  if (!ran) abort(ran.error());
  return ran;
}

}  // namespace

Result<void> WaitReady(const std::vector<ncclComm_t>& comms, Deadline deadline) {
  for (ncclComm_t comm : comms) {
    ncclResult_t status = ncclInProgress;
    while (status == ncclInProgress) {
      const ncclResult_t asked = ncclCommGetAsyncError(comm, &status);
      if (asked != ncclSuccess && asked != ncclInProgress)
        return FailedNccl(asked, "ncclCommGetAsyncError", comm);
      if (status == ncclInProgress && deadline.passed()) {
        return Fail(Code::kDeadline, "NCCL did not connect the GPUs in its time");
      }
      std::this_thread::yield();
    }
    NCCL_TRY(comm, status);
  }
  return {};
}

Result<void> ConnectCollectives(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                                Deadline deadline, const AbortCollectives& abort) {
  TRY_ASSIGN(const std::vector<Lane> lanes, MakeLanes(devices, comms, kLargeBytes));
  return OrAbort(
      [&]() -> Result<void> {
        for (size_t bytes : {kSmallBytes, kLargeBytes}) TRY(RunCollectives(lanes, comms, bytes, deadline));
        return {};
      },
      abort);
}

Result<void> ConnectPairs(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                          Deadline deadline, const AbortCollectives& abort) {
  TRY_ASSIGN(const std::vector<Lane> lanes, MakeLanes(devices, comms, 2 * kSmallBytes));
  return OrAbort([&] { return RunPairs(lanes, comms, deadline); }, abort);
}

}  // namespace tessera::comm
