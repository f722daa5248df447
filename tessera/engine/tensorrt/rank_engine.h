// One rank's TensorRT engine, its execution contexts and its stream.
#pragma once

#include <NvInferRuntime.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "tessera/cuda/memory.h"
#include "tessera/cuda/stream.h"
#include "tessera/engine/tensorrt/checks.h"
#include "tessera/engine/tensorrt/library.h"
#include "tessera/engine/tensorrt/options.h"
#include "tessera/engine/tensorrt/plan_reader.h"
#include "tessera/engine/tensorrt/shape_values.h"
#include "tessera/engine/tensorrt/tensor_info.h"

namespace tessera::engine {

// Not thread-safe: one thread at a time. Every call of TensorRT is checked; an error carries TensorRT's last
// message.
class RankEngine {
 public:
  // Deserialises the plan in `file`, as PlanReader reads it, and makes a context for each optimisation
  // profile that `options` leave. From here on these profiles are numbered from 0.
  static Result<std::unique_ptr<RankEngine>> Load(std::shared_ptr<const TensorRtLibrary> library, Rank rank,
                                                  DeviceId device, const std::filesystem::path& file,
                                                  const TensorRtOptions& options);
  // Blocks until no step of the process is half issued: see LetGo.
  ~RankEngine();
  RankEngine(const RankEngine&) = delete;
  RankEngine& operator=(const RankEngine&) = delete;

  Rank rank() const { return rank_; }
  const cuda::Stream& stream() const { return stream_; }
  const EngineTensors& tensors() const { return tensors_; }
  int profile_count() const { return static_cast<int>(contexts_.size()); }

  // As CollectiveLayersOf.
  std::optional<int> CollectiveLayers() const { return CollectiveLayersOf(*engine_); }

  // Hands the communicator to every context. All ranks call this at the same time: one after the other
  // deadlocks. After an error nothing may be enqueued: collectives would silently do nothing. An engine that
  // is not multi-device refuses it.
  Result<void> SetCommunicator(void* communicator);

  // The profile that takes these input shapes and values, the one with the nearest optimum if several do.
  // Errors: kInvalidArgument naming the input and the range that it must be in.
  Result<int> PickProfile(const std::vector<Shape>& inputs, const HostValues& values) const;
  // The shapes and values that the profile was optimised for.
  Result<std::vector<Shape>> OptimalShapes(int profile) const;
  HostValues OptimalValues(int profile) const;

  // As RankGroup::largest_inputs, of the model's profiles.
  std::vector<Shape> LargestShapes() const;

  // Sets the shapes of all inputs for the next Enqueue with `profile`, and the values of shape tensors, which
  // stay where they are until it is issued; tells the shapes of the outputs (kDynamic where they depend on
  // the data).
  Result<std::vector<Shape>> InferShapes(int profile, const std::vector<Shape>& shapes,
                                         const HostValues& values);
  // The addresses of all inputs but shape tensors.
  Result<void> BindInputs(int profile, const std::vector<void*>& at);
  Result<void> BindOutput(int profile, int index, void* at);
  Result<void> BindOutputAllocator(int profile, int index, nvinfer1::IOutputAllocator* allocator);
  // Whether what is bound may be enqueued while stream() is captured, where the library tells before. Errors:
  // kUnsupported.
  Result<void> CheckCapturable(int profile) const;
  // Issues one inference to stream(): runs at once, or becomes part of a graph being captured.
  Result<void> Enqueue(int profile);

 private:
  RankEngine(Rank rank, cuda::Stream stream) : rank_(rank), stream_(std::move(stream)) {}
  Result<void> Deserialize(const std::filesystem::path& file, const TensorRtOptions& options);
  Result<void> DeserializeFrom(PlanReader& reader, const std::filesystem::path& file, bool mapped);
  using Strategy = nvinfer1::ExecutionContextAllocationStrategy;
  Result<void> MakeContexts(Strategy strategy);
  std::unique_ptr<nvinfer1::IExecutionContext> MakeContext(Strategy strategy);
  Result<void> ShareMemory();
  tl::unexpected<Error> Refused(std::string_view call, std::string_view what = {});

  const Rank rank_;
  const cuda::Stream stream_;
  std::shared_ptr<const TensorRtLibrary> library_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<int32_t> profiles_;  // the engine's number of each profile
  std::vector<int32_t> model_profiles_;
  std::unique_ptr<nvinfer1::IRuntimeConfig> config_;  // of all contexts; TensorRT-RTX's only
  cuda::DeviceBuffer memory_;                         // activations of all contexts: one runs at a time
  std::vector<std::unique_ptr<nvinfer1::IExecutionContext>> contexts_;  // [profile]
  EngineTensors tensors_;
  std::vector<TensorSpec> inputs_;  // of tensors_
};

}  // namespace tessera::engine
