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
#include "tessera/engine/tensorrt/library.h"
#include "tessera/engine/tensorrt/logger.h"
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

  // Layers that communicate, as the inspector tells them; nullopt when the engine was built without layer
  // names.
  std::optional<int> CollectiveLayers() const;

  // Hands the communicator to every context. All ranks call this at the same time: one after the other
  // deadlocks. After an error nothing may be enqueued: collectives would silently do nothing.
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
  // Issues one inference to stream(): runs at once, or becomes part of a graph being captured.
  Result<void> Enqueue(int profile);

 private:
  RankEngine(Rank rank, cuda::Stream stream)
      : rank_(rank),
        stream_(std::move(stream)),
        logger_(std::make_unique<TensorRtLogger>(fmt::format("rank {}", rank.value()))) {}
  Result<void> Deserialize(const std::filesystem::path& file, const TensorRtOptions& options);
  Result<void> DeserializeFrom(PlanReader& reader, const std::filesystem::path& file, bool mapped);
  Result<void> MakeContexts(bool share_memory);
  Result<void> ShareMemory();
  tl::unexpected<Error> Refused(std::string_view call, std::string_view what = {});

  const Rank rank_;
  const cuda::Stream stream_;
  std::unique_ptr<TensorRtLogger> logger_;
  std::shared_ptr<const TensorRtLibrary> library_;
  std::unique_ptr<nvinfer1::IRuntime> runtime_;
  std::unique_ptr<nvinfer1::ICudaEngine> engine_;
  std::vector<int32_t> profiles_;  // the engine's number of each profile
  std::vector<int32_t> model_profiles_;
  cuda::DeviceBuffer memory_;  // activations of all contexts: one runs at a time
  std::vector<std::unique_ptr<nvinfer1::IExecutionContext>> contexts_;  // [profile]
  EngineTensors tensors_;
  std::vector<TensorSpec> inputs_;  // of tensors_
};

}  // namespace tessera::engine
