#include "tests/nvinfer_standin/context_state.h"

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "tessera/cuda/status.h"
#include "tests/nvinfer_standin/fault.h"
#include "tests/nvinfer_standin/kernels.h"

namespace tessera::standin {
namespace {

bool Within(const Shape& shape, const ProfileRange& range) {
  if (shape.size() != range.least.size()) return false;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] < range.least[d] || shape[d] > range.most[d]) return false;
  }
  return true;
}

Result<void> Do(const Work& work, cudaStream_t stream) {
  std::string why;
  if (!work.launch(stream, why)) return Fail(Code::kInternal, "{}", why);
  return {};
}

// Runs all but the collectives, once: CUDA loads a kernel at its first use, and would wait for a collective
// in front of it to end, holding up the rank that the collective waits for. TensorRT loads its kernels with
// the plan.
Result<void> Rehearse(const Program& program, cudaStream_t stream) {
  for (const Work& work : program.works) {
    if (!work.communicates) TRY(Do(work, stream));
  }
  CUDA_TRY(cudaStreamSynchronize(stream));
  return {};
}

}  // namespace

ContextState::~ContextState() {
  if (child_ != nullptr) (void)ncclCommDestroy(child_);
  if (runs_ != nullptr) (void)cudaFreeHost(runs_);
}

Result<void> ContextState::SetProfile(int profile) {
  if (profile < 0 || static_cast<size_t>(profile) >= model_->plan().profiles.size()) {
    return Fail(Code::kInvalidArgument, "profile {} of {}", profile, model_->plan().profiles.size());
  }
  profile_ = profile;
  return {};
}

Result<void> ContextState::SetInputShape(const std::string& name, Shape shape) {
  const Model::Io* input = model_->Find(name.c_str());
  if (input == nullptr || !input->is_input) return Fail(Code::kInvalidArgument, "no input '{}'", name);
  const Profile& profile = model_->plan().profiles[static_cast<size_t>(profile_)];
  auto range = profile.find(name);
  const bool fits = range == profile.end() ? shape == input->shape : Within(shape, range->second);
  if (!fits)
    return Fail(Code::kInvalidArgument, "input '{}' {} is outside of profile {}", name, ToString(shape),
                profile_);
  auto known = input_shapes_.find(name);
  if (known != input_shapes_.end() && known->second == shape) return {};
  input_shapes_[name] = std::move(shape);
  output_shapes_.clear();
  return {};
}

void* ContextState::Address(const std::string& name) const {
  auto found = addresses_.find(name);
  return found == addresses_.end() ? nullptr : found->second;
}

Result<void> ContextState::SetCommunicator(ncclComm_t comm) {
  if (FaultAt(Fault::Kind::kCommunicator, model_->plan(), 0)) {
    return Fail(Code::kInvalidArgument, "the engine is not a multi-device engine");
  }
  if (model_->collectives().empty())
    return Fail(Code::kInvalidArgument, "the engine is not a multi-device engine");
  if (WantsChildCommunicator()) {
    const ncclResult_t split = ncclCommSplit(comm, 0, model_->plan().rank, &child_, nullptr);
    if (split != ncclSuccess) return Fail(Code::kInternal, "ncclCommSplit: {}", ncclGetErrorString(split));
    comm = child_;
  }
  communicator_.comm.store(comm);
  return {};
}

std::vector<std::string> ContextState::MissingShapes() const {
  std::vector<std::string> missing;
  for (const Model::Io& tensor : model_->io()) {
    if (!tensor.is_input || IsStatic(tensor.shape) || input_shapes_.count(tensor.name) != 0) continue;
    missing.push_back(tensor.name);
  }
  return missing;
}

Result<std::vector<int64_t>> ContextState::HostValues(const Model::Io& input) const {
  const void* at = Address(input.name);
  if (at == nullptr) return Fail(Code::kInvalidArgument, "shape tensor '{}' has no address", input.name);
  const auto count = static_cast<size_t>(ElementCount(input.shape));
  std::vector<int64_t> values(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] =
        input.type == DType::kInt32 ? static_cast<const int32_t*>(at)[i] : static_cast<const int64_t*>(at)[i];
  }
  const ProfileRange& range = model_->plan().values[static_cast<size_t>(profile_)].at(input.name);
  if (Within(values, range)) return values;
  return Fail(Code::kInvalidArgument, "values {} of '{}' are outside of profile {}", ToString(values),
              input.name, profile_);
}

// All but addresses.
Result<Builder::Io> ContextState::IoNow() const {
  Builder::Io io;
  for (const Model::Io& tensor : model_->io()) {
    if (!tensor.is_input) continue;
    io.input_shapes[tensor.name] = tensor.shape;
    if (!tensor.on_host) continue;
    TRY_ASSIGN(io.values[tensor.name], HostValues(tensor));
  }
  for (const auto& [name, shape] : input_shapes_) io.input_shapes[name] = shape;
  return io;
}

Result<void> ContextState::InferOutputs() {
  TRY_ASSIGN(const Builder::Io io, IoNow());
  if (!output_shapes_.empty() && io.values == values_) return {};
  TRY_ASSIGN(std::shared_ptr<Program> dry,
             Builder::Build(model_->graph(), model_->device(), communicator_, io));
  output_shapes_ = dry->outputs;
  values_ = io.values;
  return {};
}

Result<Shape> ContextState::ShapeOf(const std::string& name) {
  const Model::Io* tensor = model_->Find(name.c_str());
  if (tensor == nullptr) return Fail(Code::kInvalidArgument, "no tensor '{}'", name);
  if (tensor->is_input) {
    auto known = input_shapes_.find(name);
    return known == input_shapes_.end() ? tensor->shape : known->second;
  }
  if (!MissingShapes().empty()) return tensor->shape;
  TRY(InferOutputs());
  return output_shapes_.at(name);
}

Result<std::shared_ptr<Program>> ContextState::ProgramNow(cudaStream_t stream) {
  TRY(InferOutputs());
  TRY_ASSIGN(Builder::Io io, IoNow());
  for (const Model::Io& tensor : model_->io()) {
    if (tensor.on_host) continue;
    if (!tensor.is_input && !IsStatic(output_shapes_.at(tensor.name))) continue;
    void* address = Address(tensor.name);
    if (address == nullptr) return Fail(Code::kInvalidArgument, "tensor '{}' has no address", tensor.name);
    io.addresses[tensor.name] = address;
  }
  const Key key{io.input_shapes, io.addresses, io.values};
  if (auto known = programs_.find(key); known != programs_.end()) return known->second;
  TRY_ASSIGN(std::shared_ptr<Program> program,
             Builder::Build(model_->graph(), model_->device(), communicator_, io));
  TRY(Rehearse(*program, stream));
  TRY(AddMemoryUse(*program));
  TRY(AddStall(*program));
  programs_[key] = program;
  return program;
}

void ContextState::SetMemory(void* memory, size_t bytes) {
  memory_ = memory;
  memory_bytes_ = bytes;
}

Result<void> ContextState::TakeMemory(size_t bytes) {
  if (bytes == 0) return {};
  TRY_ASSIGN(own_memory_, cuda::DeviceBuffer::Create(model_->device().id, bytes));
  SetMemory(own_memory_.data(), bytes);
  return {};
}

Result<void> ContextState::AddMemoryUse(Program& program) const {
  const size_t bytes = model_->ContextBytes(profile_);
  if (bytes == 0) return {};
  if (memory_ == nullptr || memory_bytes_ < bytes) {
    return Fail(Code::kInvalidArgument, "the context has {} bytes of memory, profile {} needs {}",
                memory_bytes_, profile_, bytes);
  }
  auto use = [memory = memory_, bytes](cudaStream_t stream, std::string& why) {
    const cudaError_t status = cudaMemsetAsync(memory, 0xff, bytes, stream);
    if (status != cudaSuccess) why = cudaGetErrorString(status);
    return status == cudaSuccess;
  };
  program.works.insert(program.works.begin(), Work{use, false});
  return {};
}

// A kernel in front that counts its runs and, at the asked one, holds the stream up.
Result<void> ContextState::AddStall(Program& program) {
  const std::optional<Fault> fault = AskedFault(model_->plan());
  if (!fault || fault->kind != Fault::Kind::kStall) return {};
  if (runs_ == nullptr) {
    CUDA_TRY(cudaHostAlloc(reinterpret_cast<void**>(&runs_), sizeof(uint32_t), cudaHostAllocMapped));
    *runs_ = 0;
  }
  const std::chrono::nanoseconds time = std::chrono::seconds(fault->seconds);
  auto stall = [runs = runs_, call = fault->call, time](cudaStream_t stream, std::string&) {
    LaunchStall(runs, static_cast<uint32_t>(call), time.count(), stream);
    return true;
  };
  program.works.insert(program.works.begin(), Work{stall, false});
  return {};
}

Result<void> ContextState::Enqueue(cudaStream_t stream, nvinfer1::ILogger& logger) {
  const PlanFile& plan = model_->plan();
  const int call = enqueues_++;
  last_.reset();
  auto tell = [&](const char* what) {
    const std::string line = fmt::format("fault: enqueue {} of rank {} {}", call, plan.rank, what);
    logger.log(nvinfer1::ILogger::Severity::kWARNING, line.c_str());
  };
  if (FaultAt(Fault::Kind::kFail, plan, call))
    return Fail(Code::kInternal, "fault: enqueue {} of rank {}", call, plan.rank);
  if (FaultAt(Fault::Kind::kSkip, plan, call)) {
    tell("is skipped");
    return {};
  }
  if (FaultAt(Fault::Kind::kHang, plan, call)) {
    tell("hangs");
    std::this_thread::sleep_for(std::chrono::hours(1));
  }
  TRY_ASSIGN(last_, ProgramNow(stream));
  for (const Work& work : last_->works) TRY(Do(work, stream));
  return {};
}

}  // namespace tessera::standin
