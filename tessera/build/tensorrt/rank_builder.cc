#include "tessera/build/tensorrt/rank_builder.h"

#include <memory>

#include "tessera/base/file.h"
#include "tessera/build/tensorrt/library.h"
#include "tessera/build/tensorrt/messages.h"
#include "tessera/build/visible_gpus.h"

namespace tessera::build {
namespace {

using nvinfer1::OptProfileSelector;

std::string CapabilityName(int capability) {
  return fmt::format("{}.{}", capability / 10, capability % 10);
}

// "node 'x' (Conv): reason", as much of it as the parser tells.
std::string ParserError(const nvonnxparser::IParser& parser, Messages& messages) {
  if (parser.getNbErrors() == 0) return messages.TakeErrors();
  const nvonnxparser::IParserError& error = *parser.getError(0);
  const std::string node = error.nodeName() == nullptr ? "" : error.nodeName();
  const std::string op = error.nodeOperator() == nullptr ? "" : error.nodeOperator();
  std::string reason = OneLine(error.desc() == nullptr ? "no reason given" : error.desc());
  if (node.empty() && op.empty()) return reason;
  return fmt::format("node '{}' ({}): {}", node, op, reason);
}

Result<nvinfer1::Dims> ToDims(const Shape& shape) {
  nvinfer1::Dims dims{};
  if (shape.size() > static_cast<size_t>(nvinfer1::Dims::MAX_DIMS)) {
    return Fail(Code::kInvalidArgument, "{} has more than {}'s {} dimensions", ToString(shape), kProductName,
                static_cast<int>(nvinfer1::Dims::MAX_DIMS));
  }
  dims.nbDims = static_cast<int32_t>(shape.size());
  for (size_t i = 0; i < shape.size(); ++i) dims.d[i] = shape[i];
  return dims;
}

// Members in order of life: what TensorRT made needs the messages, the network the builder, the parser the
// network.
class RankBuilder {
 public:
  explicit RankBuilder(const RankRequest& request) : request_(request), messages_(request.verbose) {}

  Result<RankReport> Run() {
    TRY_ASSIGN(BuilderLibrary library, BuilderLibrary::Open(request_.libraries));
    report_.version = library.version();
    TRY(PickCapabilities());
    TRY(Parse(library));
    TRY(CheckInputs());
    TRY(CheckAttention(library));
    TRY(Configure());
    TRY(AddProfiles());
    TRY(LoadTimingCache());
    TRY(BuildEngine());
    SaveTimingCache();
    report_.layers_listed = messages_.layers_listed();
    report_.engine = messages_.Collectives();
    return report_;
  }

 private:
  Result<void> PickCapabilities() {
    capabilities_ = request_.compute_capabilities;
    if (capabilities_.empty() || !kBuildsForOtherGpus) {
      TRY_ASSIGN(const std::vector<VisibleGpu> gpus, VisibleGpus());
      const int here = gpus.front().compute_capability;
      if (!capabilities_.empty() && capabilities_ != std::vector<int>{here}) {
        return Fail(
            Code::kInvalidArgument,
            "{} builds for the GPU of this machine ({}), not for {}; TensorRT-RTX can build for another",
            kProductName, CapabilityName(here), CapabilityName(capabilities_.front()));
      }
      capabilities_ = {here};
    }
    for (const int capability : capabilities_)
      report_.compute_capabilities.push_back(CapabilityName(capability));
    return {};
  }

  Result<void> Parse(const BuilderLibrary& library) {
    TRY_ASSIGN(builder_, library.CreateBuilder(messages_));
    network_.reset(builder_->createNetworkV2(0));  // always strongly typed: the model's types are computed in
    if (!network_) return Refused("createNetworkV2");
    TRY_ASSIGN(parser_, library.CreateParser(*network_, messages_));
    if (!parser_->parseFromFile(request_.model.c_str(),
                                static_cast<int>(nvinfer1::ILogger::Severity::kWARNING))) {
      return Fail(Code::kUnsupported, "{}'s ONNX parser: {}", kProductName, ParserError(*parser_, messages_));
    }
    for (int32_t i = 0; i < network_->getNbLayers(); ++i) {
      const nvinfer1::ILayer& layer = *network_->getLayer(i);
      if (layer.getType() == nvinfer1::LayerType::kDIST_COLLECTIVE)
        report_.network.emplace_back(layer.getName());
    }
    return {};
  }

  // A profile would have to give the least and the greatest values of such an input.
  Result<void> CheckInputs() const {
    for (int32_t i = 0; i < network_->getNbInputs(); ++i) {
      const nvinfer1::ITensor& input = *network_->getInput(i);
      if (!input.isShapeTensor()) continue;
      return Fail(
          Code::kUnsupported,
          "sizes are computed from the values of input '{}', which no profile tells; make it a constant "
          "of the model",
          input.getName());
    }
    return {};
  }

  // Before 11.2 an Attention layer overwrites the engine's number of ranks with its own, 1: the engine then
  // takes no communicator.
  Result<void> CheckAttention(const BuilderLibrary& library) const {
#if !defined(TRT_MAJOR_RTX)
    constexpr int kKeepsTheRanks = 110200;
    if (library.number() >= kKeepsTheRanks || report_.network.empty()) return {};
    for (int32_t i = 0; i < network_->getNbLayers(); ++i) {
      const nvinfer1::ILayer& layer = *network_->getLayer(i);
      if (layer.getType() != nvinfer1::LayerType::kATTENTION_INPUT) continue;
      return Fail(Code::kUnsupported,
                  "node '{}' (Attention): TensorRT {} builds no multi-device engine with it, 11.2 does; or "
                  "export the "
                  "model with an opset before 23, which has no Attention",
                  layer.getName(), library.version());
    }
#endif
    (void)library;
    return {};
  }

  Result<void> Configure() {
    config_.reset(builder_->createBuilderConfig());
    if (!config_) return Refused("createBuilderConfig");
    // The kinds of layers: without them nobody can count an engine's collectives.
    config_->setProfilingVerbosity(nvinfer1::ProfilingVerbosity::kDETAILED);
    if (!request_.tf32) config_->clearFlag(nvinfer1::BuilderFlag::kTF32);
#if defined(TRT_MAJOR_RTX)
    if (!config_->setNbComputeCapabilities(static_cast<int32_t>(capabilities_.size())))
      return Refused("setNbComputeCapabilities");
    for (size_t i = 0; i < capabilities_.size(); ++i) {
      // The enumerators' numbers are those of the capabilities.
      const auto capability = static_cast<nvinfer1::ComputeCapability>(capabilities_[i]);
      if (config_->setComputeCapability(capability, static_cast<int32_t>(i))) continue;
      return Fail(Code::kInvalidArgument, "compute capability {}: {} {} does not build for it",
                  CapabilityName(capabilities_[i]), kProductName, report_.version);
    }
#endif
    return {};
  }

  Result<void> AddProfiles() {
    for (const plan::Profile& ranges : request_.profiles) {
      nvinfer1::IOptimizationProfile* profile = builder_->createOptimizationProfile();  // the builder's
      if (profile == nullptr) return Refused("createOptimizationProfile");
      for (const plan::InputRange& range : ranges) {
        TRY_ASSIGN(const nvinfer1::Dims least, ToDims(range.least));
        TRY_ASSIGN(const nvinfer1::Dims usual, ToDims(range.usual));
        TRY_ASSIGN(const nvinfer1::Dims most, ToDims(range.most));
        const char* name = range.input.c_str();
        if (!profile->setDimensions(name, OptProfileSelector::kMIN, least) ||
            !profile->setDimensions(name, OptProfileSelector::kOPT, usual) ||
            !profile->setDimensions(name, OptProfileSelector::kMAX, most)) {
          return Refused(fmt::format("the profile of input '{}'", range.input));
        }
      }
      if (config_->addOptimizationProfile(profile) < 0) return Refused("an optimisation profile");
    }
    return {};
  }

  Result<void> BuildEngine() {
    const std::unique_ptr<nvinfer1::IHostMemory> engine(
        builder_->buildSerializedNetwork(*network_, *config_));
    if (!engine) return Fail(Code::kUnsupported, "{}'s builder: {}", kProductName, BuilderError());
    return WriteFileAtomically(request_.engine, {static_cast<const char*>(engine->data()), engine->size()});
  }

  std::string BuilderError() {
    const std::string reason = messages_.TakeErrors();
    const bool by_sizes = reason.find("profile") != reason.npos;
    return reason + (by_sizes ? "; --profile gives the sizes of free dimensions" : "");
  }

  // TensorRT-RTX has none: it measures nothing when it builds.
  Result<void> LoadTimingCache() {
#if !defined(TRT_MAJOR_RTX)
    if (!request_.timing_cache.empty()) {
      TRY_ASSIGN(const std::string bytes, ReadFile(request_.timing_cache));
      if (UseTimingCache(bytes)) return {};
      report_.timing_cache_error = "the library does not take it: " + messages_.TakeErrors();
    }
    if (!UseTimingCache("")) return Refused("an empty timing cache");
#endif
    return {};
  }

#if !defined(TRT_MAJOR_RTX)
  // False where `bytes` are those of another library or GPU, or no timings at all.
  bool UseTimingCache(const std::string& bytes) {
    timing_cache_.reset(config_->createTimingCache(bytes.data(), bytes.size()));
    return timing_cache_ && config_->setTimingCache(*timing_cache_, false);
  }
#endif

  // The engine is there, which took longer and does without.
  void SaveTimingCache() {
#if !defined(TRT_MAJOR_RTX)
    if (request_.next_timing_cache.empty()) return;
    if (const Result<void> saved = WriteTimingCache(); !saved && report_.timing_cache_error.empty())
      report_.timing_cache_error = saved.error().message;
#endif
  }

#if !defined(TRT_MAJOR_RTX)
  Result<void> WriteTimingCache() {
    const std::unique_ptr<nvinfer1::IHostMemory> bytes(timing_cache_->serialize());
    if (!bytes) return Fail(Code::kInternal, "the library wrote none: {}", messages_.TakeErrors());
    return WriteFileAtomically(request_.next_timing_cache,
                               {static_cast<const char*>(bytes->data()), bytes->size()});
  }
#endif

  tl::unexpected<Error> Refused(const std::string& what) {
    return Fail(Code::kUnsupported, "{} refuses {}: {}", kProductName, what, messages_.TakeErrors());
  }

  const RankRequest& request_;
  RankReport report_;
  std::vector<int> capabilities_;
  Messages messages_;
#if !defined(TRT_MAJOR_RTX)
  std::unique_ptr<nvinfer1::ITimingCache> timing_cache_;  // outlives the builder
#endif
  std::unique_ptr<nvinfer1::IBuilder> builder_;
  std::unique_ptr<nvinfer1::INetworkDefinition> network_;
  std::unique_ptr<nvonnxparser::IParser> parser_;  // holds the weights until the engine is built
  std::unique_ptr<nvinfer1::IBuilderConfig> config_;
};

}  // namespace

Result<RankReport> BuildRank(const RankRequest& request) {
  return RankBuilder(request).Run();
}

}  // namespace tessera::build
