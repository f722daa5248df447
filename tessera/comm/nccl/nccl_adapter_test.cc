// NCCL under the conformance suite: on as many GPUs as there are.
#include <cuda_runtime_api.h>

#include "tessera/comm/conformance/conformance.h"
#include "tessera/comm/nccl/communicator.h"
#include "tessera/cuda/device.h"
#include "tessera/cuda/memory.h"

namespace tessera::comm::conformance {
namespace {

class DeviceTestBuffer final : public Buffer {
 public:
  DeviceTestBuffer(DeviceId device, size_t bytes)
      : memory_(cuda::DeviceBuffer::Create(device, bytes).value()), bytes_(bytes) {}
  MutableBytes bytes() override { return {memory_.data(), bytes_}; }
  void Write(Bytes from_host) override {
    EXPECT_EQ(cudaMemcpy(memory_.data(), from_host.data(), from_host.size(), cudaMemcpyHostToDevice),
              cudaSuccess);
    EXPECT_EQ(cudaStreamSynchronize(cudaStreamLegacy), cudaSuccess);  // a small copy may still be on its way
  }
  std::vector<std::byte> Read() const override {
    std::vector<std::byte> read(bytes_);
    EXPECT_EQ(cudaMemcpy(read.data(), memory_.data(), bytes_, cudaMemcpyDeviceToHost), cudaSuccess);
    return read;
  }

 private:
  cuda::DeviceBuffer memory_;
  size_t bytes_;
};

class NcclTestGroup final : public Group {
 public:
  explicit NcclTestGroup(std::vector<std::unique_ptr<Communicator>> ends) : ends_(std::move(ends)) {}
  std::vector<Communicator*> ends() override {
    std::vector<Communicator*> all;
    for (auto& end : ends_) all.push_back(end.get());
    return all;
  }
  std::unique_ptr<Buffer> Allocate(Rank rank, size_t bytes) override {
    return std::make_unique<DeviceTestBuffer>(DeviceId(rank.value()), bytes);
  }

 private:
  std::vector<std::unique_ptr<Communicator>> ends_;
};

class NcclAdapter final : public Adapter {
 public:
  Result<std::unique_ptr<Group>> Create(int world_size) override {
    std::vector<DeviceId> devices;
    for (int i = 0; i < world_size; ++i) devices.push_back(DeviceId(i));
    TRY_ASSIGN(auto ends, CreateNcclCommunicators(devices, Deadline::In(std::chrono::seconds(60))));
    return std::make_unique<NcclTestGroup>(std::move(ends));
  }
  std::optional<std::string> Unsupported(int world_size) override {
    const int devices = cuda::DeviceCount();
    if (world_size <= devices) return std::nullopt;
    return fmt::format("{} ranks need {} GPUs, here are {}", world_size, world_size, devices);
  }
  std::optional<std::string> Unsupported(const Collective& what) override {
    if (what.reduce == ReduceOp::kAvg && what.type == DType::kInt8) {
      return "NCCL adds up in the type itself: the sum of an average of INT8 may overflow";
    }
    return std::nullopt;
  }
  std::optional<std::string> OwnOrder() override {
    return "NCCL rounds 16-bit floats at each step, in the order of its ring or tree";
  }
  std::optional<std::string> MismatchUndetected() override {
    return "NCCL's ranks do not tell each other what they call";
  }
};

Adapter& Nccl() {
  static NcclAdapter adapter;
  return adapter;
}

INSTANTIATE_TEST_SUITE_P(Nccl, EveryCollective, EveryCase(&Nccl), CaseName);
INSTANTIATE_TEST_SUITE_P(Nccl, EveryWorld, Worlds(&Nccl), WorldName);
INSTANTIATE_TEST_SUITE_P(Nccl, Faults, Worlds(&Nccl), WorldName);

}  // namespace
}  // namespace tessera::comm::conformance
