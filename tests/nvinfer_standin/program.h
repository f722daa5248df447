// A rank's graph made ready to run for one set of input shapes and addresses.
#pragma once

#include <cublasLt.h>
#include <nccl.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/graph/graph.h"
#include "tests/nvinfer_standin/attention.h"
#include "tests/nvinfer_standin/cudnn.h"
#include "tests/nvinfer_standin/pool.h"
#include "tests/nvinfer_standin/tensor.h"

namespace tessera::standin {

// What all programs of an engine share.
struct Device {
  DeviceId id{0};
  cublasLtHandle_t blas = nullptr;
  std::shared_ptr<Cudnn> cudnn;  // null: the model has no attention
  std::shared_ptr<void> workspace;
  static constexpr size_t kWorkspaceBytes = size_t{32} << 20;
  std::map<int32_t, std::shared_ptr<void>> weights;  // device copies of initializers, by value number
};

// Of one execution context; set by setCommunicator, read at each launch.
struct CommunicatorSlot {
  std::atomic<ncclComm_t> comm{nullptr};
};

// One piece of work put to a stream. False: it failed, `why` says how.
using Launch = std::function<bool(cudaStream_t stream, std::string& why)>;

struct Work {
  Launch launch;
  bool communicates = false;
};

// An output that has those rows of `rows` for which `keep` is true: how many only its content tells.
struct PickedRows {
  std::string name;
  std::shared_ptr<void> rows;
  std::shared_ptr<void> keep;  // a byte a row
  size_t row_bytes = 0;
  Shape shape;  // of `rows`
};

struct Program {
  std::shared_ptr<Pool> pool;
  std::vector<std::shared_ptr<void>> kept;  // memory that lives as long as the program
  std::vector<cuda::DeviceBuffer> constants;
  std::vector<Work> works;
  std::map<std::string, Shape> outputs;  // kDynamic where the data decides
  std::vector<PickedRows> picked;        // to be delivered when all works are done
};

// Builds a program node by node. A dry build finds the outputs' shapes and touches no device memory.
class Builder {
 public:
  struct Io {
    std::map<std::string, Shape> input_shapes;
    std::map<std::string, void*> addresses;              // of inputs and outputs; empty: a dry build
    std::map<std::string, std::vector<int64_t>> values;  // of shape tensors
  };
  // Errors: kUnsupported (an operator or type that the stand-in lacks, named), kInvalidArgument (shapes).
  static Result<std::shared_ptr<Program>> Build(const graph::Graph& graph, const Device& device,
                                                CommunicatorSlot& communicator, const Io& io);

  const graph::Node& node() const { return *node_; }
  const Device& device() const { return device_; }
  CommunicatorSlot& communicator() { return communicator_; }
  bool dry() const { return io_.addresses.empty(); }
  int64_t opset() const { return graph_.opset(); }

  size_t input_count() const { return node_->inputs.size(); }
  bool HasInput(size_t index) const;
  // Dense, unless the node's handler is one of those that read strides.
  const Tensor& Input(size_t index) const;
  const Tensor& Output(size_t index) const { return ValueOf(node_->outputs[index]); }
  const Tensor& ValueOf(graph::ValueId id) const { return values_.at(id.value()); }
  // The values of an input that must be known while building (a shape, axes, ..). Errors: kUnsupported.
  Result<std::vector<int64_t>> Values(size_t index) const;
  // The same of a constant of fp32, fp16 or bf16.
  Result<std::vector<float>> Floats(size_t index) const;

  // True: the node's output 0 has one reader, of this type, which will not run: the node does its work, and
  // its output 0 is that reader's from now on.
  bool TakeNext(const std::string& op_type);

  // The node's output `index`, in device memory; for a graph's output, where the caller wants it.
  Result<Tensor> NewOutput(size_t index, DType type, Shape shape);
  void SetOutput(size_t index, Tensor tensor);
  // An output that is another tensor's memory with another shape.
  Result<void> SetView(size_t index, const Tensor& of, Shape shape);
  // An output that is another tensor's memory, walked otherwise from element `offset` on; nothing is moved.
  void SetStrided(size_t index, const Tensor& of, Shape shape, std::vector<int64_t> strides, int64_t offset);

  // The node's output 0, which must be one of the graph's, has the rows of `in` that `keep` names.
  Result<void> SetPicked(const Tensor& in, const Tensor& keep);

  Result<Tensor> Scratch(DType type, Shape shape);
  Result<Tensor> Constant(DType type, Shape shape, const std::vector<std::byte>& bytes);
  // Device memory of `tensor`; uploads values that are only known on the host.
  Result<const void*> OnDevice(const Tensor& tensor);
  // Adds work; ignored in a dry build.
  void Add(Launch launch) { AddWork({std::move(launch), false}); }
  // The same, of work that waits for the other ranks.
  void AddCollective(Launch launch) { AddWork({std::move(launch), true}); }
  // Kernels report nothing themselves: this looks at CUDA's error slot after `kernel` was put to the stream.
  void AddKernel(std::function<bool(cudaStream_t)> kernel);

 private:
  Builder(const graph::Graph& graph, const Device& device, CommunicatorSlot& communicator, const Io& io);
  Result<void> AddInputs();
  Result<void> AddConstants();
  Result<void> AddNodes();
  Result<void> AddNode();
  Result<void> MakeInputsDense();
  void PlanFusion(size_t node_index);
  Result<void> AddFused(size_t node_index, const Attention& attention);
  Result<void> CopyOutputs();
  Result<std::shared_ptr<void>> Memory(size_t bytes);
  void DropDead(size_t node_index);
  void AddWork(Work work);
  graph::ValueId OutputId(size_t index) const;

  const graph::Graph& graph_;
  const Device& device_;
  CommunicatorSlot& communicator_;
  const Io& io_;
  std::shared_ptr<Program> program_ = std::make_shared<Program>();
  std::map<int32_t, Tensor> values_;
  std::map<int32_t, size_t> last_use_;  // value -> index of the last node that reads it
  const std::vector<Attention> attentions_;
  std::map<size_t, const Attention*> fused_;  // by node: part of an attention that runs as one
  const std::vector<std::vector<graph::NodeId>> consumers_;
  const graph::Node* node_ = nullptr;
  const graph::Node* taken_ = nullptr;  // whose work node_ does, too
  std::set<const graph::Node*> left_out_;
};

using Handler = Result<void> (*)(Builder& builder);
// Null: not known.
Handler FindHandler(const std::string& op_type);
// Its handler takes inputs that are not dense.
bool ReadsStrides(const std::string& op_type);

}  // namespace tessera::standin
