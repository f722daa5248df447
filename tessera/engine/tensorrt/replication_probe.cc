#include "tessera/engine/tensorrt/replication_probe.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/graph.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/device_order.h"
#include "tessera/engine/tensorrt/probe_buffers.h"
#include "tessera/engine/tensorrt/step_plan.h"

namespace tessera::engine {
namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::nanoseconds;

constexpr std::array<size_t, 3> kSizes = {128 << 10, 1 << 20, 8 << 20};
constexpr int kRuns = 5;  // the best one counts
constexpr int kLost = 0xa5;
constexpr std::chrono::seconds kHangLimit{10};

// Every rank's all-gather of slices; in a rank's thread.
Result<void> AllGather(Peers& peers, const ProbeBuffers::Lane& lane, Rank rank, size_t bytes) {
  const size_t chunk = GatherChunk(bytes, peers.world_size());
  std::byte* all = lane.buffer.data();
  return peers.WhileUsable([&] {
    return peers.AllGather(rank, all + chunk * static_cast<size_t>(rank.value()), all, chunk,
                           lane.stream.get());
  });
}

Result<void> Launch(const cuda::Graph& graph, const ProbeBuffers::Lane& lane) {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(lane.stream.device()));
  return graph.Launch(lane.stream);
}

class Probe {
 public:
  Probe(std::shared_ptr<Peers> peers, RankThreads& threads, std::shared_ptr<ProbeBuffers> buffers,
        Deadline deadline, const TamperWithInput& tamper)
      : peers_(std::move(peers)),
        threads_(threads),
        buffers_(std::move(buffers)),
        deadline_(deadline),
        tamper_(tamper) {}
  Result<std::vector<ReplicationTime>> Run();

 private:
  using Issue = std::function<Result<void>()>;
  Result<ReplicationTime> Time(size_t bytes);
  Result<nanoseconds> Best(size_t bytes, const char* way, const Issue& issue);
  Result<nanoseconds> Once(const Issue& issue);
  Result<void> Lose();
  Result<void> Compare(size_t bytes, const char* way);
  Result<void> CopyTo(size_t rank, size_t at, size_t bytes);
  Result<void> CopySlices(size_t bytes);
  Result<std::vector<cuda::Graph>> CaptureGather(size_t bytes);

  const std::shared_ptr<Peers> peers_;
  RankThreads& threads_;
  const std::shared_ptr<ProbeBuffers> buffers_;  // the ranks' threads' too, one of which may be stuck
  const Deadline deadline_;
  const TamperWithInput& tamper_;
  const Clock::time_point start_ = Clock::now();
};

Result<std::vector<ReplicationTime>> Probe::Run() {
  std::vector<ReplicationTime> times;
  for (const size_t bytes : kSizes) {
    if (!times.empty() && Clock::now() - start_ > kReplicationProbeLimit) break;
    TRY_ASSIGN(const ReplicationTime time, Time(bytes));
    times.push_back(time);
  }
  return times;
}

Result<ReplicationTime> Probe::Time(size_t bytes) {
  ReplicationTime time{bytes, {}, {}};
  auto copy = [&]() -> Result<void> {
    for (size_t r = 0; r < buffers_->lanes().size(); ++r) TRY(CopyTo(r, 0, bytes));
    return {};
  };
  TRY_ASSIGN(time.copies, Best(bytes, "as a copy", copy));
  TRY_ASSIGN(std::vector<cuda::Graph> captured, CaptureGather(bytes));
  const std::vector<cuda::Graph>& gathers = buffers_->Keep(std::move(captured));
  auto gather = [&]() -> Result<void> {
    TRY(CopySlices(bytes));
    for (size_t r = 0; r < buffers_->lanes().size(); ++r) TRY(Launch(gathers[r], buffers_->lanes()[r]));
    return {};
  };
  TRY_ASSIGN(time.gather, Best(bytes, "in slices and an all-gather", gather));
  return time;
}

// The first run is compared and not counted.
Result<nanoseconds> Probe::Best(size_t bytes, const char* way, const Issue& issue) {
  TRY(Lose());
  TRY_ASSIGN(const nanoseconds first, Once(issue));
  TRY(Compare(bytes, way));
  nanoseconds best = first;
  for (int run = 0; run < kRuns; ++run) {
    TRY_ASSIGN(const nanoseconds time, Once(issue));
    best = run == 0 ? time : std::min(best, time);
  }
  return best;
}

Result<nanoseconds> Probe::Once(const Issue& issue) {
  const Clock::time_point start = Clock::now();
  TRY(issue());
  for (const ProbeBuffers::Lane& lane : buffers_->lanes()) TRY(lane.stream.Drain(deadline_));
  return Clock::now() - start;
}

Result<void> Probe::Lose() {
  for (const ProbeBuffers::Lane& lane : buffers_->lanes()) {
    TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(lane.stream.device()));
    CUDA_TRY(cudaMemsetAsync(lane.buffer.data(), kLost, lane.buffer.size(), lane.stream.get()));
    TRY(lane.stream.Drain(deadline_));
  }
  return {};
}

Result<void> Probe::Compare(size_t bytes, const char* way) {
  const MutableBytes arrived = buffers_->arrived(bytes);
  for (size_t r = 0; r < buffers_->lanes().size(); ++r) {
    const ProbeBuffers::Lane& lane = buffers_->lanes()[r];
    const DeviceId device = lane.stream.device();
    TRY(cuda::CopyAsync(DeviceRegion(lane.buffer.bytes().first(bytes), device), PinnedRegion(arrived),
                        lane.stream));
    TRY(lane.stream.Drain(deadline_));
    if (tamper_) tamper_(Rank(static_cast<int>(r)), arrived);
    if (std::memcmp(arrived.data(), buffers_->source(), bytes) == 0) continue;
    return Fail(
        Code::kUnavailable,
        "{} of pinned memory that were brought to every GPU {} are wrong on GPU {}, so a model cannot "
        "run there; with NCCL_P2P_DISABLE=1 in its environment the server does without peer access",
        SizeText(bytes), way, device.value());
  }
  return {};
}

Result<void> Probe::CopyTo(size_t rank, size_t at, size_t bytes) {
  const ProbeBuffers::Lane& lane = buffers_->lanes()[rank];
  return cuda::CopyAsync(PinnedRegion(Bytes(buffers_->source() + at, bytes)),
                         DeviceRegion(lane.buffer.bytes().subspan(at, bytes), lane.stream.device()),
                         lane.stream);
}

// As RankRunner::CopyInput.
Result<void> Probe::CopySlices(size_t bytes) {
  const size_t chunk = GatherChunk(bytes, peers_->world_size());
  for (size_t r = 0; r < buffers_->lanes().size(); ++r) {
    const size_t at = std::min(chunk * r, bytes);
    TRY(CopyTo(r, at, std::min(chunk, bytes - at)));
  }
  return {};
}

// As RankSet prepares a step: run once, since NCCL's first collective of a kind cannot be captured, by the
// ranks' threads, since a call may wait for the other ranks'.
Result<std::vector<cuda::Graph>> Probe::CaptureGather(size_t bytes) {
  const std::shared_ptr<const ProbeBuffers> shared = buffers_;
  auto first = [peers = peers_, buffers = shared, bytes, deadline = deadline_](Rank rank) -> Result<void> {
    const ProbeBuffers::Lane& lane = buffers->lanes()[static_cast<size_t>(rank.value())];
    TRY(AllGather(*peers, lane, rank, bytes));
    return lane.stream.Drain(deadline);
  };
  auto captured = std::make_shared<std::vector<std::optional<cuda::Graph>>>(buffers_->lanes().size());
  auto capture = [peers = peers_, buffers = shared, bytes, captured](Rank rank) -> Result<void> {
    const auto r = static_cast<size_t>(rank.value());
    const ProbeBuffers::Lane& lane = buffers->lanes()[r];
    TRY_ASSIGN((*captured)[r], cuda::Graph::Capture(
                                   lane.stream, [&] { return AllGather(*peers, lane, rank, bytes); },
                                   cuda::Graph::Objects::kApart));
    return {};
  };
  auto abort = [peers = peers_](const Error& error) { peers->Abort(error); };
  TRY(threads_.RunAll(first, deadline_, abort));
  TRY(threads_.RunAll(capture, deadline_, abort));
  std::vector<cuda::Graph> graphs;
  for (std::optional<cuda::Graph>& graph : *captured) graphs.push_back(*std::move(graph));
  return graphs;
}

// A machine that does not answer keeps other models off its GPUs no longer.
Deadline Limited(Deadline deadline) {
  return Sooner(deadline, Deadline::In(kHangLimit));
}

}  // namespace

Result<std::vector<ReplicationTime>> ProbeReplication(const std::shared_ptr<Peers>& peers,
                                                      RankThreads& threads,
                                                      const std::vector<DeviceId>& devices, Deadline deadline,
                                                      const TamperWithInput& tamper) {
  // Outlives the turn, within which no memory is freed.
  TRY_ASSIGN(const std::shared_ptr<ProbeBuffers> buffers, ProbeBuffers::Create(devices, kSizes.back()));
  TRY_ASSIGN(const DeviceOrder::Turn turn, DeviceOrder::OfProcess().Hold(devices, deadline));
  Result<std::vector<ReplicationTime>> times =
      Probe(peers, threads, buffers, Limited(deadline), tamper).Run();
  if (!times)
    peers->Abort(times.error());  // before memory and graphs go: that waits for collectives in flight
  return times;
}

}  // namespace tessera::engine
