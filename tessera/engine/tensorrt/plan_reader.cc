#include "tessera/engine/tensorrt/plan_reader.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <exception>
#include <future>

#include "tessera/base/named_thread.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/event.h"
#include "tessera/cuda/status.h"

namespace tessera::engine {
namespace {

constexpr size_t kPage = 4096;

Result<uint64_t> SizeOf(const UniqueFd& fd, const std::filesystem::path& file) {
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return FailErrno("stat", file, errno);
  if (!S_ISREG(info.st_mode)) return Fail(Code::kInvalidArgument, "'{}' is not a file", file.string());
  return static_cast<uint64_t>(info.st_size);
}

// A plan may be replaced, by renaming, between two openings.
Result<void> MustBeOneFile(const UniqueFd& one, const UniqueFd& other, const std::filesystem::path& file) {
  struct stat first {};
  struct stat second {};
  if (::fstat(one.get(), &first) != 0 || ::fstat(other.get(), &second) != 0) {
    return FailErrno("stat", file, errno);
  }
  if (first.st_dev == second.st_dev && first.st_ino == second.st_ino) return {};
  return Fail(Code::kUnavailable, "'{}' was replaced while it was opened", file.string());
}

enum class Place { kHost, kPinned, kDevice };

Result<Place> PlaceOf(const void* memory) {
  cudaPointerAttributes attributes{};
  const cudaError_t status = cudaPointerGetAttributes(&attributes, memory);
  if (status == cudaErrorNoDevice || status == cudaErrorInsufficientDriver) {
    (void)cudaGetLastError();
    return Place::kHost;
  }
  CUDA_TRY(status);
  switch (attributes.type) {
    case cudaMemoryTypeDevice:
    case cudaMemoryTypeManaged:
      return Place::kDevice;
    case cudaMemoryTypeHost:
      return Place::kPinned;
    default:
      return Place::kHost;
  }
}

}  // namespace

Result<std::unique_ptr<PlanReader>> PlanReader::Open(const std::filesystem::path& file, DeviceId device,
                                                     const ReadWays& ways) {
  std::vector<Lane> lanes(std::max<size_t>(ways.lanes, 1));
  for (Lane& lane : lanes) {
    TRY_ASSIGN(lane.fd, OpenForReading(file));
  }
  for (const Lane& lane : lanes) TRY(MustBeOneFile(lanes.front().fd, lane.fd, file));
  TRY_ASSIGN(const uint64_t size, SizeOf(lanes.front().fd, file));
  return std::unique_ptr<PlanReader>(new PlanReader(file, device, ways, size, std::move(lanes)));
}

PlanReader::~PlanReader() {
  (void)Finish();  // whoever wants to know has called it
}

Result<std::vector<std::byte>> PlanReader::Head(size_t most) const {
  std::vector<std::byte> head(std::min<uint64_t>(most, size_));
  TRY(ReadFully({lanes_.front().fd, file_, 0}, head));
  return head;
}

bool PlanReader::seek(int64_t offset, nvinfer1::SeekPosition where) noexcept {
  int64_t to = offset;
  if (where == nvinfer1::SeekPosition::kCUR) to += static_cast<int64_t>(at_);
  if (where == nvinfer1::SeekPosition::kEND) to += static_cast<int64_t>(size_);
  if (to < 0 || static_cast<uint64_t>(to) > size_) return false;
  at_ = static_cast<uint64_t>(to);
  return true;
}

int64_t PlanReader::read(void* destination, int64_t count, cudaStream_t stream) noexcept {
  if (failure_ || count < 0 || (destination == nullptr && count > 0)) return -1;
  const auto start = std::chrono::steady_clock::now();
  const size_t bytes = std::min<uint64_t>(static_cast<uint64_t>(count), size_ - at_);
  Result<void> done;
  try {
    done = ReadTo({static_cast<std::byte*>(destination), bytes}, stream);
  } catch (const std::exception& e) {  // no memory
    done = Fail(Code::kUnavailable, "'{}' cannot be read: {}", file_.string(), e.what());
  }
  totals_.time += std::chrono::steady_clock::now() - start;
  ++totals_.reads;
  if (!done) {
    failure_ = done.error();
    return -1;
  }
  at_ += bytes;
  return static_cast<int64_t>(bytes);
}

Result<void> PlanReader::ReadTo(MutableBytes destination, cudaStream_t stream) {
  if (destination.empty()) return {};
  TRY_ASSIGN(const Place place, PlaceOf(destination.data()));
  const bool to_device = place == Place::kDevice;
  (to_device ? totals_.to_device : totals_.to_host) += destination.size();
  if (place == Place::kPinned) TRY(AwaitAll(stream));
  return InParts(destination, [&](Lane& lane, uint64_t offset, MutableBytes to) -> Result<void> {
    if (!to_device) return ReadFully({lane.fd, file_, offset}, to);
    return CopyPart(lane, offset, to, stream);
  });
}

Result<void> PlanReader::AwaitAll(cudaStream_t stream) const {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device_));
  TRY_ASSIGN(const cuda::Event done, cuda::Event::Create(device_));
  TRY(done.Record(stream));
  return done.Wait(Deadline::In(ReadLane::kCopyLimit));
}

Result<void> PlanReader::CopyPart(Lane& lane, uint64_t offset, MutableBytes to, cudaStream_t stream) const {
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device_));
  if (!lane.to_device) {
    TRY_ASSIGN(lane.to_device, ReadLanes::Take(device_, ways_.piece));
  }
  return lane.to_device->Copy({lane.fd, file_, offset}, to, stream);
}

// Each thread reads one stretch of the file, one after the other within it.
Result<void> PlanReader::InParts(MutableBytes destination,
                                 const std::function<Result<void>(Lane&, uint64_t, MutableBytes)>& part) {
  const size_t count = std::clamp<size_t>(destination.size() / ways_.lane_least, 1, lanes_.size());
  const size_t each = (destination.size() / count + kPage) / kPage * kPage;
  auto run = [&, from = at_](size_t i) {
    const size_t begin = std::min(i * each, destination.size());
    return part(lanes_[i], from + begin,
                destination.subspan(begin, std::min(each, destination.size() - begin)));
  };
  std::vector<std::future<Result<void>>> others;  // whose ends wait for their threads
  for (size_t i = 1; i < count; ++i) {
    TRY_ASSIGN(std::future<Result<void>> other, StartNamedTask("tessera-read", [&run, i] { return run(i); }));
    others.push_back(std::move(other));
  }
  Result<void> all = run(0);
  for (std::future<Result<void>>& other : others) {
    Result<void> one = other.get();
    if (all && !one) all = std::move(one);
  }
  return all;
}

Result<void> PlanReader::Finish() {
  for (Lane& lane : lanes_) {
    if (!lane.to_device) continue;
    const Result<void> finished = ReadLanes::Give(std::move(lane.to_device));
    if (!finished && !failure_) failure_ = finished.error();
  }
  if (failure_) return tl::unexpected<Error>(*failure_);
  return {};
}

}  // namespace tessera::engine
