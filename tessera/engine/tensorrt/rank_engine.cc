#include "tessera/engine/tensorrt/rank_engine.h"

#include <algorithm>
#include <cstdlib>
#include <string_view>

#include "tessera/base/file.h"
#include "tessera/base/log.h"
#include "tessera/cuda/device.h"
#include "tessera/engine/tensorrt/engine_validity.h"
#include "tessera/engine/tensorrt/laps.h"
#include "tessera/engine/tensorrt/let_go.h"
#include "tessera/engine/tensorrt/logger.h"
#include "tessera/engine/tensorrt/plugins.h"
#include "tessera/engine/tensorrt/profile.h"
#include "tessera/engine/tensorrt/profile_values.h"

namespace tessera::engine {

Result<std::unique_ptr<RankEngine>> RankEngine::Load(std::shared_ptr<const TensorRtLibrary> library,
                                                     Rank rank, DeviceId device,
                                                     const std::filesystem::path& file,
                                                     const TensorRtOptions& options) {
  using Priority = cuda::Stream::Priority;
  Laps laps;
  TRY_ASSIGN(cuda::DeviceGuard guard, cuda::DeviceGuard::Enter(device));
  const Priority priority = options.least_priority ? Priority::kNormal : Priority::kHigh;
  TRY_ASSIGN(cuda::Stream stream, cuda::Stream::Create(device, priority));
  std::unique_ptr<RankEngine> rank_engine(new RankEngine(rank, std::move(stream)));
  TRY_ASSIGN(rank_engine->runtime_, library->CreateRuntime(device));
  rank_engine->library_ = std::move(library);
  TRY(LoadPlugins(*rank_engine->library_, options.plugins));
  if (options.version_compatible) rank_engine->runtime_->setEngineHostCodeAllowed(true);
  laps.Add("runtime");
  TRY(rank_engine->Deserialize(file, options));
  laps.Add("plan");
  TRY_ASSIGN(rank_engine->profiles_, ListedProfiles(*rank_engine->engine_, options.profiles));
  TRY_ASSIGN(rank_engine->model_profiles_, ListedProfiles(*rank_engine->engine_, options.model_profiles));
  const bool has_one_profile = rank_engine->engine_->getNbOptimizationProfiles() == 1;
  const bool own_memory = options.static_contexts || has_one_profile;
  TRY(rank_engine->MakeContexts(own_memory ? Strategy::kSTATIC : Strategy::kUSER_MANAGED));
  laps.Add("contexts");
  TESSERA_LOG(kDebug, "rank {} has its engine, ms: {}", rank.value(), laps.text());
  return rank_engine;
}

RankEngine::~RankEngine() {
  struct Made {
    std::unique_ptr<nvinfer1::IRuntime> runtime;
    std::unique_ptr<nvinfer1::ICudaEngine> engine;
    std::unique_ptr<nvinfer1::IRuntimeConfig> config;
    cuda::DeviceBuffer memory;
    std::vector<std::unique_ptr<nvinfer1::IExecutionContext>> contexts;
  };
  LetGo(Made{std::move(runtime_), std::move(engine_), std::move(config_), std::move(memory_),
             std::move(contexts_)},
        stream_);
}

tl::unexpected<Error> RankEngine::Refused(std::string_view call, std::string_view what) {
  auto failed = Fail(Code::kInternal, "rank {}: TensorRT's {}{}{}: {}", rank_.value(), call,
                     what.empty() ? "" : " of ", what, TensorRtLogger::TakeErrors());
  failed.value().rank = rank_.value();
  return failed;
}

Result<void> RankEngine::Deserialize(const std::filesystem::path& file, const TensorRtOptions& options) {
  const ReadWays ways = options.read_ways.value_or(UsualReadWays());
  TRY_ASSIGN(const std::unique_ptr<PlanReader> reader, PlanReader::Open(file, stream_.device(), ways));
  TRY_ASSIGN(const std::string reason, WhyNotForHere(*runtime_, *reader));
  if (!reason.empty()) {
    return Fail(Code::kUnsupported, "'{}' cannot be loaded by TensorRT {} on GPU {}: {}", file.string(),
                library_->version(), stream_.device().value(), reason);
  }
  TRY(DeserializeFrom(*reader, file, options.map_plans));
  if (!engine_) {
    return Fail(Code::kInvalidArgument, "'{}' is no plan that TensorRT {} can load on GPU {}: {}",
                file.string(), library_->version(), stream_.device().value(), TensorRtLogger::TakeErrors());
  }
  TRY_ASSIGN(tensors_, ReadTensors(*engine_));
  for (const TensorInfo& input : tensors_.inputs) inputs_.push_back(input.spec);
  return {};
}

// What the reader met says more than what TensorRT makes of it.
Result<void> RankEngine::DeserializeFrom(PlanReader& reader, const std::filesystem::path& file, bool mapped) {
  (void)TensorRtLogger::TakeErrors();  // of calls before
  if (mapped) {
    TRY_ASSIGN(const std::shared_ptr<const MappedFile> plan, MappedFile::Open(file));
    engine_.reset(runtime_->deserializeCudaEngine(plan->bytes().data(), plan->bytes().size()));
    return {};
  }
  engine_.reset(runtime_->deserializeCudaEngine(reader));
  TRY(reader.Finish());
  const PlanReader::Totals& read = reader.totals();
  TESSERA_LOG(
      kDebug,
      "rank {}'s plan was read in {} pieces, {} bytes to the host and {} to the GPU, ms: reading {:.1f}",
      rank_.value(), read.reads, read.to_host, read.to_device,
      std::chrono::duration<double, std::milli>(read.time).count());
  return {};
}

// Lazily is TensorRT-RTX's default: a graph would keep the kernels that stand in until those of its shape are
// compiled. Source: its NvInferRuntime.h, "DynamicShapesKernelSpecializationStrategy".
std::unique_ptr<nvinfer1::IExecutionContext> RankEngine::MakeContext(Strategy strategy) {
#if defined(TRT_MAJOR_RTX)
  if (!config_) config_.reset(engine_->createRuntimeConfig());
  if (!config_) return nullptr;  // TensorRT's own message says why
  config_->setExecutionContextAllocationStrategy(strategy);
  config_->setDynamicShapesKernelSpecializationStrategy(
      nvinfer1::DynamicShapesKernelSpecializationStrategy::kEAGER);
  return std::unique_ptr<nvinfer1::IExecutionContext>(engine_->createExecutionContext(config_.get()));
#else
  return std::unique_ptr<nvinfer1::IExecutionContext>(engine_->createExecutionContext(strategy));
#endif
}

Result<void> RankEngine::MakeContexts(Strategy strategy) {
  for (const int32_t profile : profiles_) {
    std::unique_ptr<nvinfer1::IExecutionContext> context = MakeContext(strategy);
    if (!context) return Refused("createExecutionContext");
    if (!context->setOptimizationProfileAsync(profile, stream_.get())) {
      return Refused("setOptimizationProfileAsync", std::to_string(profile));
    }
    contexts_.push_back(std::move(context));
  }
  if (strategy == Strategy::kUSER_MANAGED) TRY(ShareMemory());
  return stream_.Drain(Deadline::In(std::chrono::seconds(60)));
}

// As much as the profile that needs most, of those that are used: contexts run one after the other, on one
// stream.
Result<void> RankEngine::ShareMemory() {
  int64_t bytes = 0;
  for (const int32_t profile : profiles_) {
    bytes = std::max(bytes, engine_->getDeviceMemorySizeForProfileV2(profile));
  }
  const auto at_least_one = static_cast<size_t>(std::max<int64_t>(bytes, 1));
  TRY_ASSIGN(memory_, cuda::DeviceBuffer::Create(stream_.device(), at_least_one));
  for (const auto& context : contexts_) context->setDeviceMemoryV2(memory_.data(), bytes);
  return {};
}

Result<void> RankEngine::SetCommunicator(void* communicator) {
  for (const auto& context : contexts_) {
    if (!context->setCommunicator(communicator)) return Refused("setCommunicator");
  }
  return {};
}

Result<int> RankEngine::PickProfile(const std::vector<Shape>& inputs, const HostValues& values) const {
  Result<int> best = Fail(Code::kInternal, "rank {}: no profile", rank_.value());
  int64_t best_distance = 0;
  for (int profile = 0; profile < profile_count(); ++profile) {
    const int number = profiles_[static_cast<size_t>(profile)];
    Result<void> fits = ProfileTakes(*engine_, number, tensors_.inputs, inputs);
    if (fits) fits = ProfileTakesValues(*engine_, number, inputs_, values);
    if (!fits) {
      if (!best) best = tl::unexpected<Error>(fits.error());
      continue;
    }
    const int64_t distance = DistanceToOptimum(*engine_, number, tensors_.inputs, inputs) +
                             ValuesToOptimum(*engine_, number, inputs_, values);
    if (best && best_distance <= distance) continue;
    best = profile;
    best_distance = distance;
  }
  return best;
}

Result<std::vector<Shape>> RankEngine::OptimalShapes(int profile) const {
  const int number = profiles_[static_cast<size_t>(profile)];
  std::vector<Shape> shapes;
  for (const TensorInfo& input : tensors_.inputs) {
    shapes.push_back(ProfileShape(*engine_, number, input, nvinfer1::OptProfileSelector::kOPT));
  }
  return shapes;
}

HostValues RankEngine::OptimalValues(int profile) const {
  return ProfileValues(*engine_, profiles_[static_cast<size_t>(profile)], inputs_,
                       nvinfer1::OptProfileSelector::kOPT);
}

std::vector<Shape> RankEngine::LargestShapes() const {
  return LargestShapesOf(*engine_, model_profiles_, tensors_.inputs);
}

Result<std::vector<Shape>> RankEngine::InferShapes(int profile, const std::vector<Shape>& shapes,
                                                   const HostValues& values) {
  nvinfer1::IExecutionContext& context = *contexts_[static_cast<size_t>(profile)];
  for (size_t i = 0; i < shapes.size(); ++i) {
    const char* name = inputs_[i].name.c_str();
    TRY_ASSIGN(nvinfer1::Dims dims, ToDims(shapes[i]));
    if (!context.setInputShape(name, dims)) return Refused("setInputShape", name);
    if (!inputs_[i].on_host) continue;
    if (!context.setInputTensorAddress(name, values[i].data())) return Refused("setInputTensorAddress", name);
  }
  if (const int32_t missing = context.inferShapes(0, nullptr); missing != 0) return Refused("inferShapes");
  std::vector<Shape> outputs;
  for (const TensorInfo& output : tensors_.outputs) {
    outputs.push_back(FromTensorRt(context.getTensorShape(output.spec.name.c_str())));
  }
  return outputs;
}

Result<void> RankEngine::BindInputs(int profile, const std::vector<void*>& at) {
  nvinfer1::IExecutionContext& context = *contexts_[static_cast<size_t>(profile)];
  for (size_t i = 0; i < at.size(); ++i) {
    const char* name = inputs_[i].name.c_str();
    if (inputs_[i].on_host) continue;
    if (!context.setInputTensorAddress(name, at[i])) return Refused("setInputTensorAddress", name);
  }
  return {};
}

Result<void> RankEngine::BindOutput(int profile, int index, void* at) {
  const std::string& name = tensors_.outputs[static_cast<size_t>(index)].spec.name;
  if (!contexts_[static_cast<size_t>(profile)]->setTensorAddress(name.c_str(), at)) {
    return Refused("setTensorAddress", name);
  }
  return {};
}

Result<void> RankEngine::BindOutputAllocator(int profile, int index, nvinfer1::IOutputAllocator* allocator) {
  const std::string& name = tensors_.outputs[static_cast<size_t>(index)].spec.name;
  if (!contexts_[static_cast<size_t>(profile)]->setOutputAllocator(name.c_str(), allocator)) {
    return Refused("setOutputAllocator", name);
  }
  return {};
}

Result<void> RankEngine::CheckCapturable([[maybe_unused]] int profile) const {
#if defined(TRT_MAJOR_RTX)
  if (!contexts_[static_cast<size_t>(profile)]->isStreamCapturable(stream_.get())) {
    return Fail(Code::kUnsupported, "rank {}: TensorRT-RTX says that it cannot be captured", rank_.value());
  }
#endif
  return {};
}

Result<void> RankEngine::Enqueue(int profile) {
  if (!contexts_[static_cast<size_t>(profile)]->enqueueV3(stream_.get())) return Refused("enqueueV3");
  return {};
}

}  // namespace tessera::engine
