#include "tessera/comm/nccl/content_check.h"

#include <algorithm>

#include "tessera/base/log.h"
#include "tessera/comm/nccl/grouped.h"
#include "tessera/cuda/copy.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/nvlink.h"

namespace tessera::comm {
namespace {

constexpr size_t kSmallBlock = 1 << 10;
constexpr size_t kLargeBlock = 256 << 10;  // of 64 ranks at most: Lane::kBytes

// What rank `from` sends: other bytes than any other rank, at any place.
std::vector<std::byte> BlockOf(size_t from, size_t bytes) {
  constexpr uint64_t kMix = 0x9e3779b97f4a7c15;
  std::vector<std::byte> block(bytes);
  for (size_t i = 0; i < bytes; ++i) block[i] = static_cast<std::byte>(((i + 1) * (from + 1) * kMix) >> 56);
  return block;
}

Region On(const Lane& lane, size_t bytes) {
  return DeviceRegion(MutableBytes(lane.data(), bytes), lane.stream().device());
}

using Blocks = std::vector<std::vector<std::byte>>;  // [rank]

Blocks MakeBlocks(size_t ranks, size_t bytes) {
  Blocks blocks;
  for (size_t r = 0; r < ranks; ++r) blocks.push_back(BlockOf(r, bytes));
  return blocks;
}

// Each rank's own block in its place, zeros in the others'.
Result<void> Fill(const std::vector<Lane>& lanes, const Blocks& blocks, Deadline deadline) {
  for (size_t r = 0; r < lanes.size(); ++r) {
    const size_t bytes = blocks[r].size();
    std::vector<std::byte> content(bytes * lanes.size());
    std::copy(blocks[r].begin(), blocks[r].end(), content.begin() + static_cast<ptrdiff_t>(r * bytes));
    TRY(cuda::CopyAsync(HostRegion(Bytes(content)), On(lanes[r], content.size()), lanes[r].stream()));
    TRY(lanes[r].stream().Drain(deadline));
  }
  return {};
}

Result<void> Gather(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms, size_t bytes,
                    Deadline deadline) {
  auto issue = [&](size_t r, const Lane& lane) {
    return ncclAllGather(lane.data() + r * bytes, lane.data(), bytes, ncclInt8, comms[r],
                         lane.stream().get());
  };
  return RunGrouped(lanes, comms, issue, deadline);
}

Result<void> Compare(const std::vector<Lane>& lanes, const Blocks& blocks, Deadline deadline,
                     const TamperWithGather& tamper) {
  const size_t bytes = blocks.front().size();
  std::vector<std::byte> all(bytes * lanes.size());
  for (size_t to = 0; to < lanes.size(); ++to) {
    TRY(cuda::CopyAsync(On(lanes[to], all.size()), HostRegion(MutableBytes(all)), lanes[to].stream()));
    TRY(lanes[to].stream().Drain(deadline));
    for (size_t from = 0; from < lanes.size(); ++from) {
      const MutableBytes arrived = MutableBytes(all).subspan(from * bytes, bytes);
      if (tamper) tamper(Rank(static_cast<int>(from)), Rank(static_cast<int>(to)), arrived);
      if (std::equal(arrived.begin(), arrived.end(), blocks[from].begin())) continue;
      return Fail(Code::kUnavailable,
                  "what GPU {} sends arrives wrong on GPU {} in NCCL's all-gather of {} bytes a rank, so no "
                  "model can run on these GPUs; {}",
                  lanes[from].stream().device().value(), lanes[to].stream().device().value(), bytes,
                  kWithoutPeerAccess);
    }
  }
  return {};
}

Result<void> CheckBlocks(const std::vector<Lane>& lanes, const std::vector<ncclComm_t>& comms, size_t bytes,
                         Deadline deadline, const TamperWithGather& tamper) {
  const Blocks blocks = MakeBlocks(lanes.size(), bytes);
  TRY(Fill(lanes, blocks, deadline));
  TRY(Gather(lanes, comms, bytes, deadline));
  return Compare(lanes, blocks, deadline, tamper);
}

Result<bool> CheckPair(DeviceId from, DeviceId to, Deadline deadline, const cuda::TamperWithCopy& tamper) {
  TRY_ASSIGN(const bool offered, cuda::CanAccessPeer(from, to));
  if (from == to || !offered) return true;
  const Result<bool> linked = cuda::HasNvLink(from, to);  // not known: as if not
  if (linked && *linked && !tamper) return true;
  TRY_ASSIGN(const bool arrives, cuda::PeerCopiesArrive(from, to, deadline, tamper));
  if (!arrives) {
    TESSERA_LOG(kWarning,
                "what GPU {} copies to GPU {} directly does not arrive there, though the driver offers it: "
                "that way is not used; if NCCL hangs on it, {}",
                from.value(), to.value(), kWithoutPeerAccess);
  }
  return arrives;
}

}  // namespace

Result<bool> CheckPairs(const std::vector<DeviceId>& devices, Deadline deadline,
                        const cuda::TamperWithCopy& tamper) {
  bool all = true;
  for (const DeviceId from : devices) {
    for (const DeviceId to : devices) {
      TRY_ASSIGN(const bool arrives, CheckPair(from, to, deadline, tamper));
      all = all && arrives;
    }
  }
  return all;
}

Result<void> CheckGathers(const std::vector<DeviceId>& devices, const std::vector<ncclComm_t>& comms,
                          Deadline deadline, const AbortCollectives& abort, const TamperWithGather& tamper) {
  TRY_ASSIGN(const std::vector<Lane> lanes, TakeLanes(devices));
  for (const size_t bytes : {kSmallBlock, kLargeBlock}) {
    Result<void> checked = CheckBlocks(lanes, comms, bytes, deadline, tamper);
    if (checked) continue;
    abort(checked.error());
    return checked;
  }
  return {};
}

}  // namespace tessera::comm
