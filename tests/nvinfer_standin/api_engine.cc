#include "tests/nvinfer_standin/api_engine.h"

#include <fmt/format.h>

#include "tests/nvinfer_standin/api_context.h"

namespace tessera::standin {
namespace {

nvinfer1::DataType ToTensorRt(DType type) {
  switch (type) {
    case DType::kFloat16:
      return nvinfer1::DataType::kHALF;
    case DType::kBFloat16:
      return nvinfer1::DataType::kBF16;
    case DType::kInt8:
      return nvinfer1::DataType::kINT8;
    case DType::kUInt8:
      return nvinfer1::DataType::kUINT8;
    case DType::kInt32:
      return nvinfer1::DataType::kINT32;
    case DType::kInt64:
      return nvinfer1::DataType::kINT64;
    case DType::kBool:
      return nvinfer1::DataType::kBOOL;
    default:
      return nvinfer1::DataType::kFLOAT;
  }
}

const Shape& Selected(const ProfileRange& range, nvinfer1::OptProfileSelector select) {
  if (select == nvinfer1::OptProfileSelector::kMIN) return range.least;
  return select == nvinfer1::OptProfileSelector::kOPT ? range.best : range.most;
}

nvinfer1::Dims NoDims() {
  nvinfer1::Dims none{};
  none.nbDims = -1;
  return none;
}

}  // namespace

StandinInspector::StandinInspector(std::shared_ptr<const Model> model) {
  mImpl = this;
  auto add = [&](const std::string& name, const char* kind) {
    layers_.push_back(model->TellsLayers() ? fmt::format("Name: {}, LayerType: {}, Inputs: []", name, kind)
                                           : name);
  };
  add("everything else", "standin");
  for (const std::string& name : model->collectives()) add(name, "comm_standin");
  for (const std::string& layer : layers_) all_ += layer + "\n";
}

char const* StandinInspector::getLayerInformation(int32_t index,
                                                  nvinfer1::LayerInformationFormat) const noexcept {
  if (index < 0 || static_cast<size_t>(index) >= layers_.size()) return nullptr;
  return layers_[static_cast<size_t>(index)].c_str();
}

nvinfer1::IExecutionContext* StandinEngine::createExecutionContext(
    nvinfer1::ExecutionContextAllocationStrategy strategy) noexcept {
  auto context = std::make_unique<StandinContext>(*this, model_, logger_);
  const bool own = strategy != nvinfer1::ExecutionContextAllocationStrategy::kUSER_MANAGED;
  if (own && !context->TakeMemory(static_cast<size_t>(getDeviceMemorySizeV2()))) return nullptr;
  return context.release();
}

nvinfer1::Dims StandinEngine::getTensorShape(char const* name) const noexcept {
  const Model::Io* tensor = model_->Find(name);
  return tensor == nullptr ? NoDims() : ToDims(tensor->shape);
}

nvinfer1::DataType StandinEngine::getTensorDataType(char const* name) const noexcept {
  const Model::Io* tensor = model_->Find(name);
  if (tensor == nullptr) return nvinfer1::DataType::kFLOAT;
  if (tensor->declared == "fp8") return nvinfer1::DataType::kFP8;
  return tensor->declared == "int4" ? nvinfer1::DataType::kINT4 : ToTensorRt(tensor->type);
}

nvinfer1::TensorIOMode StandinEngine::getTensorIOMode(char const* name) const noexcept {
  const Model::Io* tensor = model_->Find(name);
  if (tensor == nullptr) return nvinfer1::TensorIOMode::kNONE;
  return tensor->is_input ? nvinfer1::TensorIOMode::kINPUT : nvinfer1::TensorIOMode::kOUTPUT;
}

nvinfer1::Dims StandinEngine::getProfileShape(char const* name, int32_t profile,
                                              nvinfer1::OptProfileSelector select) const noexcept {
  if (profile < 0 || profile >= getNbOptimizationProfiles()) return NoDims();
  const Profile& ranges = model_->plan().profiles[static_cast<size_t>(profile)];
  auto range = ranges.find(name);
  return range == ranges.end() ? getTensorShape(name) : ToDims(Selected(range->second, select));
}

int64_t const* StandinEngine::getProfileTensorValuesV2(char const* name, int32_t profile,
                                                       nvinfer1::OptProfileSelector select) const noexcept {
  if (profile < 0 || profile >= getNbOptimizationProfiles()) return nullptr;
  const Profile& ranges = model_->plan().values[static_cast<size_t>(profile)];
  auto range = ranges.find(name);
  return range == ranges.end() ? nullptr : Selected(range->second, select).data();
}

char const* StandinEngine::getIOTensorName(int32_t index) const noexcept {
  if (index < 0 || index >= getNbIOTensors()) return nullptr;
  return model_->io()[static_cast<size_t>(index)].name.c_str();
}

}  // namespace tessera::standin
