// Rank groups of the MLP for tests, and requests to them.
#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <vector>

#include "tessera/engine/tensorrt/tensorrt_engine.h"
#include "tests/gpu/gpus.h"
#include "tests/gpu/models.h"

namespace tessera::gputest {

// Time enough for a load or a step that ends at all.
Deadline Soon();

// Loads MLPs and keeps the directories and the engines that their groups need: outlives the groups.
class MlpGroups {
 public:
  // A rank on each of `devices`.
  Result<std::unique_ptr<engine::RankGroup>> Load(const Mlp& mlp, std::vector<DeviceId> devices,
                                                  engine::TensorRtOptions options = {});
  // The same; where that fails, so does the test, and this is null.
  std::unique_ptr<engine::RankGroup> Loaded(const Mlp& mlp, std::vector<DeviceId> devices,
                                            const engine::TensorRtOptions& options = {});

 private:
  std::vector<std::unique_ptr<TempDirectory>> directories_;
  std::vector<std::unique_ptr<engine::Engine>> engines_;
};

// The bits of rank 0's y[m,n] for a random x[m,k] in host memory.
Result<std::vector<uint16_t>> Ask(engine::RankGroup& group, const Mlp& mlp, int64_t m, unsigned seed,
                                  Deadline deadline = Soon());

// The largest difference over the largest value; infinite where the sizes differ.
double RelativeError(const std::vector<uint16_t>& got, const std::vector<uint16_t>& wanted);

// Tests of MLPs on two GPUs.
class EngineGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (Gpus().size() < 2) GTEST_SKIP() << "needs two GPUs";
  }

  MlpGroups groups_;
};

// A fault of the stand-in for libnvinfer (tests/nvinfer_standin says which there are), while this lives.
class Fault {
 public:
  explicit Fault(const char* text) { setenv("TESSERA_STANDIN_FAULT", text, 1); }
  ~Fault() { unsetenv("TESSERA_STANDIN_FAULT"); }
  Fault(const Fault&) = delete;
  Fault& operator=(const Fault&) = delete;
};

// While this lives, engines of the stand-in communicate by children of the communicator that they are given.
class ChildCommunicators {
 public:
  ChildCommunicators() { setenv("TESSERA_STANDIN_CHILD", "1", 1); }
  ~ChildCommunicators() { unsetenv("TESSERA_STANDIN_CHILD"); }
  ChildCommunicators(const ChildCommunicators&) = delete;
  ChildCommunicators& operator=(const ChildCommunicators&) = delete;
};

}  // namespace tessera::gputest
