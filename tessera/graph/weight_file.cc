#include "tessera/graph/onnx.h"
#include "tessera/graph/output_file.h"

namespace tessera::graph {
namespace {

constexpr uint64_t kAlignment = 64;
constexpr uint64_t kPage = 4096;
constexpr uint64_t kLarge = 64 * 1024;  // from here on a tensor starts on a page, to be mapped page-wise

class StreamedWeightFile final : public WeightFile {
 public:
  StreamedWeightFile(std::string name, OutputFile output)
      : name_(std::move(name)), output_(std::move(output)) {}

  Result<ExternalData> Append(Bytes bytes) override {
    TRY(PadTo(bytes.size() >= kLarge ? kPage : kAlignment));
    ExternalData place{name_, size_, bytes.size()};
    TRY(output_.Write(bytes));
    size_ += bytes.size();
    return place;
  }

  Result<void> Close() override { return output_.Commit(); }
  uint64_t size() const override { return size_; }

 private:
  Result<void> PadTo(uint64_t alignment) {
    const std::vector<std::byte> zeros((alignment - size_ % alignment) % alignment);
    size_ += zeros.size();
    return output_.Write(zeros);
  }

  std::string name_;
  OutputFile output_;
  uint64_t size_ = 0;
};

}  // namespace

Result<std::unique_ptr<WeightFile>> WeightFile::Create(const std::filesystem::path& file) {
  TRY_ASSIGN(OutputFile output, OutputFile::Create(file));
  return std::make_unique<StreamedWeightFile>(file.filename().string(), std::move(output));
}

}  // namespace tessera::graph
