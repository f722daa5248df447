// For adapters whose ends all live in this process and take host memory.
#pragma once

#include <utility>

#include "tessera/comm/conformance/conformance.h"

namespace tessera::comm::conformance {

class HostBuffer final : public Buffer {
 public:
  explicit HostBuffer(size_t bytes) : bytes_(bytes) {}
  MutableBytes bytes() override { return bytes_; }
  void Write(Bytes from_host) override { bytes_.assign(from_host.begin(), from_host.end()); }
  std::vector<std::byte> Read() const override { return bytes_; }

 private:
  std::vector<std::byte> bytes_;
};

class HostGroup final : public Group {
 public:
  explicit HostGroup(std::vector<std::unique_ptr<Communicator>> by_rank) : by_rank_(std::move(by_rank)) {}

  std::vector<Communicator*> ends() override {
    std::vector<Communicator*> alive;
    for (auto& end : by_rank_) {
      if (end) alive.push_back(end.get());
    }
    return alive;
  }
  std::unique_ptr<Buffer> Allocate(Rank, size_t bytes) override {
    return std::make_unique<HostBuffer>(bytes);
  }
  bool Kill(Rank rank) override {
    by_rank_[static_cast<size_t>(rank.value())] = nullptr;
    return true;
  }

 private:
  std::vector<std::unique_ptr<Communicator>> by_rank_;
};

}  // namespace tessera::comm::conformance
