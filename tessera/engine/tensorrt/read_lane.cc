#include "tessera/engine/tensorrt/read_lane.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "tessera/base/mutex.h"
#include "tessera/cuda/status.h"
#include "tessera/engine/tensorrt/device_order.h"

namespace tessera::engine {
namespace {

struct Idle {
  Mutex mutex;
  std::vector<std::unique_ptr<ReadLane>> lanes GUARDED_BY(mutex);
};

Idle& IdleLanes() {
  static Idle* const idle = new Idle;  // for good: CUDA may be gone before static objects are
  return *idle;
}

}  // namespace

Result<void> ReadFully(const FilePart& from, MutableBytes to) {
  size_t done = 0;
  while (done < to.size()) {
    const ssize_t got =
        ::pread(from.fd.get(), to.data() + done, to.size() - done, static_cast<off_t>(from.offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FailErrno("read", from.file, errno);
    if (got == 0) {
      return Fail(Code::kInvalidArgument,
                  "'{}' ends at byte {}, wanted {}: it became shorter while it was read", from.file.string(),
                  from.offset + done, from.offset + to.size());
    }
    done += static_cast<size_t>(got);
  }
  return {};
}

Result<std::unique_ptr<ReadLane>> ReadLane::Create(DeviceId device, size_t piece) {
  auto make = [&]() -> Result<Piece> {
    TRY_ASSIGN(cuda::PinnedBuffer memory, cuda::PinnedBuffer::Create(piece));
    TRY_ASSIGN(cuda::Event copied, cuda::Event::Create(device));
    return Piece{std::move(memory), std::move(copied)};
  };
  TRY_ASSIGN(Piece first, make());
  TRY_ASSIGN(Piece second, make());
  return std::unique_ptr<ReadLane>(new ReadLane(device, {std::move(first), std::move(second)}));
}

Result<void> ReadLane::Await(Piece& piece) {
  if (!piece.under_way) return {};
  TRY(piece.copied.Wait(Deadline::In(kCopyLimit)));
  piece.under_way = false;
  return {};
}

Result<void> ReadLane::Copy(FilePart from, MutableBytes to, cudaStream_t stream) {
  while (!to.empty()) {
    Piece& piece = pieces_[next_];
    next_ = (next_ + 1) % pieces_.size();
    TRY(Await(piece));
    const MutableBytes part = piece.memory.bytes().first(std::min(to.size(), piece.memory.size()));
    TRY(ReadFully(from, part));
    piece.under_way = true;  // whatever fails from here on
    CUDA_TRY(cudaMemcpyAsync(to.data(), part.data(), part.size(), cudaMemcpyHostToDevice, stream));
    TRY(piece.copied.Record(stream));
    from.offset += part.size();
    to = to.subspan(part.size());
  }
  return {};
}

Result<void> ReadLane::Finish() {
  for (Piece& piece : pieces_) TRY(Await(piece));
  return {};
}

Result<std::unique_ptr<ReadLane>> ReadLanes::Take(DeviceId device, size_t piece) {
  Idle& idle = IdleLanes();
  {
    MutexLock lock(idle.mutex);
    const auto fits = std::find_if(idle.lanes.begin(), idle.lanes.end(), [&](const auto& lane) {
      return lane->device() == device && lane->piece() == piece;
    });
    if (fits != idle.lanes.end()) {
      std::unique_ptr<ReadLane> taken = std::move(*fits);
      idle.lanes.erase(fits);
      return taken;
    }
  }
  // Pinned memory is made: not while a step is half issued.
  TRY_ASSIGN(const auto quiet, DeviceOrder::OfProcess().Quiet());
  return ReadLane::Create(device, piece);
}

Result<void> ReadLanes::Give(std::unique_ptr<ReadLane> lane) {
  if (Result<void> finished = lane->Finish(); !finished) {
    (void)lane.release();
    return finished;
  }
  Idle& idle = IdleLanes();
  MutexLock lock(idle.mutex);
  idle.lanes.push_back(std::move(lane));
  return {};
}

}  // namespace tessera::engine
