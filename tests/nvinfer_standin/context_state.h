// An execution context's work behind TensorRT's interface.
#pragma once

#include <NvInferRuntime.h>
#include <nccl.h>

#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "tests/nvinfer_standin/model.h"

namespace tessera::standin {

class ContextState {
 public:
  explicit ContextState(std::shared_ptr<const Model> model) : model_(std::move(model)) {}
  ~ContextState();
  ContextState(const ContextState&) = delete;
  ContextState& operator=(const ContextState&) = delete;

  const Model& model() const { return *model_; }
  Result<void> SetProfile(int profile);
  int profile() const { return profile_; }
  Result<void> SetInputShape(const std::string& name, Shape shape);
  void SetAddress(const std::string& name, void* address) { addresses_[name] = address; }
  void* Address(const std::string& name) const;
  Result<void> SetCommunicator(ncclComm_t comm);
  void SetMemory(void* memory, size_t bytes);
  Result<void> TakeMemory(size_t bytes);
  // Names of inputs without a shape.
  std::vector<std::string> MissingShapes() const;
  // kDynamic dimensions while inputs are missing.
  Result<Shape> ShapeOf(const std::string& name);
  // A fault that strikes is told the logger first.
  Result<void> Enqueue(cudaStream_t stream, nvinfer1::ILogger& logger);
  // Of the last Enqueue: what is to be delivered to the outputs' allocators.
  std::vector<PickedRows> picked() const { return last_ ? last_->picked : std::vector<PickedRows>(); }

 private:
  Result<Builder::Io> IoNow() const;
  Result<std::vector<int64_t>> HostValues(const Model::Io& input) const;
  Result<void> InferOutputs();
  Result<std::shared_ptr<Program>> ProgramNow(cudaStream_t stream);
  Result<void> AddStall(Program& program);
  Result<void> AddMemoryUse(Program& program) const;

  const std::shared_ptr<const Model> model_;
  int profile_ = 0;
  int enqueues_ = 0;
  CommunicatorSlot communicator_;
  ncclComm_t child_ = nullptr;
  std::map<std::string, Shape> input_shapes_;
  std::map<std::string, Shape> output_shapes_;          // of input_shapes_ and values_; empty: not inferred
  std::map<std::string, std::vector<int64_t>> values_;  // of shape tensors
  std::map<std::string, void*> addresses_;
  using Key = std::tuple<std::map<std::string, Shape>, std::map<std::string, void*>,
                         std::map<std::string, std::vector<int64_t>>>;
  std::map<Key, std::shared_ptr<Program>>
      programs_;  // graphs captured from one need it as long as the context lives
  std::shared_ptr<Program> last_;
  cuda::DeviceBuffer own_memory_;
  void* memory_ = nullptr;
  size_t memory_bytes_ = 0;
  uint32_t* runs_ = nullptr;  // mapped host memory, counted by the fault "stall"
};

}  // namespace tessera::standin
