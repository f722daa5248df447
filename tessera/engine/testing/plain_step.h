// A step's inputs and outputs in plain vectors: for tests and tools.
#pragma once

#include <cstring>
#include <span>
#include <vector>

#include "tessera/engine/rank_group.h"

namespace tessera::engine {

// Keeps each rank's outputs, dense.
class KeepingSink : public OutputSink {
 public:
  struct Output {
    DType type = DType::kUndefined;
    Shape shape;
    std::vector<std::byte> bytes;
  };

  KeepingSink(int ranks, size_t outputs) : kept_(static_cast<size_t>(ranks), std::vector<Output>(outputs)) {}

  Result<Region> Place(Rank rank, int index, DType type, const Shape& shape) override {
    Output& output = kept_[static_cast<size_t>(rank.value())][static_cast<size_t>(index)];
    output = {type, shape, std::vector<std::byte>(BytesOf(type, shape).value())};
    return HostRegion(MutableBytes{output.bytes});
  }

  const Output& of(int rank, int index) const {
    return kept_[static_cast<size_t>(rank)][static_cast<size_t>(index)];
  }

  template <class T>
  std::vector<T> values(int rank, int index) const {
    const Output& output = of(rank, index);
    std::vector<T> result(output.bytes.size() / sizeof(T));
    if (!result.empty()) std::memcpy(result.data(), output.bytes.data(), output.bytes.size());
    return result;
  }

 private:
  std::vector<std::vector<Output>> kept_;
};

// A dense tensor over `values`, which must outlive it.
template <class T>
TensorView ViewOf(DType type, Shape shape, const std::vector<T>& values) {
  return {type, std::move(shape), HostRegion(std::as_bytes(std::span(values)))};
}

}  // namespace tessera::engine
