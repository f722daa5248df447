#include "tests/nvinfer_standin/plan_source.h"

#include <array>
#include <optional>

#include "tessera/cuda/status.h"
#include "tessera/cuda/stream.h"

namespace tessera::standin {
namespace {

class Memory final : public PlanSource {
 public:
  explicit Memory(std::string_view plan) : plan_(plan) {}

  Result<std::string> Text() override { return std::string(plan_.substr(0, plan_.find('\0'))); }
  Result<void> Copy(uint64_t offset, MutableBytes to) override {
    if (offset > plan_.size() || to.size() > plan_.size() - offset) {
      return Fail(Code::kInvalidArgument, "the plan has {} bytes, its weights end at {}", plan_.size(),
                  offset + to.size());
    }
    CUDA_TRY(cudaMemcpy(to.data(), plan_.data() + offset, to.size(), cudaMemcpyHostToDevice));
    return {};
  }
  Result<void> Finish() override {
    CUDA_TRY(cudaStreamSynchronize(cudaStreamLegacy));  // a small copy may still be on its way
    return {};
  }

 private:
  const std::string_view plan_;
};

class Reader final : public PlanSource {
 public:
  explicit Reader(nvinfer1::IStreamReaderV2& reader) : reader_(reader) {}

  Result<std::string> Text() override {
    std::string text;
    std::array<char, 4096> piece{};
    while (true) {
      const int64_t got = reader_.read(piece.data(), piece.size(), nullptr);
      if (got < 0) return Fail(Code::kUnavailable, "the plan's reader failed");
      text.append(piece.data(), static_cast<size_t>(got));
      const size_t end = text.find('\0');
      if (end != std::string::npos) return text.substr(0, end);
      if (got == 0) return text;
    }
  }
  Result<void> Copy(uint64_t offset, MutableBytes to) override {
    TRY(MakeStream());
    if (!reader_.seek(static_cast<int64_t>(offset), nvinfer1::SeekPosition::kSET)) {
      return Fail(Code::kInvalidArgument, "the plan does not reach to byte {}", offset);
    }
    while (!to.empty()) {
      const int64_t got = reader_.read(to.data(), static_cast<int64_t>(to.size()), stream_->get());
      if (got <= 0) return Fail(Code::kUnavailable, "the plan's reader failed, or the plan ends too early");
      to = to.subspan(static_cast<size_t>(got));
    }
    return {};
  }
  Result<void> Finish() override {
    if (!stream_) return {};
    return stream_->Drain(Deadline::In(std::chrono::seconds(60)));
  }

 private:
  Result<void> MakeStream() {
    if (stream_) return {};
    int device = 0;
    CUDA_TRY(cudaGetDevice(&device));
    TRY_ASSIGN(cuda::Stream made, cuda::Stream::Create(DeviceId(device)));
    stream_.emplace(std::move(made));
    return {};
  }

  nvinfer1::IStreamReaderV2& reader_;
  std::optional<cuda::Stream> stream_;
};

}  // namespace

std::unique_ptr<PlanSource> FromMemory(std::string_view plan) {
  return std::make_unique<Memory>(plan);
}

std::unique_ptr<PlanSource> FromReader(nvinfer1::IStreamReaderV2& reader) {
  return std::make_unique<Reader>(reader);
}

}  // namespace tessera::standin
