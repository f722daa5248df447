#include "tessera/engine/tensorrt/checks.h"

#include <algorithm>
#include <memory>

#include "tessera/base/log.h"
#include "tessera/plan/engine_layers.h"

namespace tessera::engine {
namespace {

bool Fits(const TensorSpec& got, const TensorSpec& wanted, bool whole) {
  const bool same_shape = whole ? got.shape == wanted.shape : got.shape.size() == wanted.shape.size();
  return got.name == wanted.name && got.type == wanted.type && same_shape && got.on_host == wanted.on_host;
}

// Every rank gets as much of an input as any other; of an output it may have another part, or none that
// counts.
Result<void> CheckSame(const std::vector<TensorInfo>& got, const std::vector<TensorInfo>& wanted, Rank rank,
                       const char* what, bool whole) {
  if (got.size() != wanted.size()) {
    return Fail(Code::kInvalidArgument, "rank {}: the engine has {} {}s, rank 0's has {}", rank.value(),
                got.size(), what, wanted.size());
  }
  for (size_t i = 0; i < got.size(); ++i) {
    const TensorSpec& g = got[i].spec;
    const TensorSpec& w = wanted[i].spec;
    if (Fits(g, w, whole)) continue;
    return Fail(Code::kInvalidArgument, "rank {}: {} {} is '{}' {} {}, rank 0's is '{}' {} {}", rank.value(),
                what, i, g.name, DTypeName(g.type), ToString(g.shape), w.name, DTypeName(w.type),
                ToString(w.shape));
  }
  return {};
}

// Else the model directory has none: the engines tell for themselves.
bool HasPlan(const plan::Plan& plan) {
  return !plan.outputs.empty();
}

Result<void> CheckCollectives(const Declared& engine, const plan::Plan& plan) {
  const int rank = engine.rank.value();
  if (!engine.collectives) {
    if (plan.world_size() == 1) return {};
    TESSERA_LOG(kWarning,
                "rank {}: the engine's collectives cannot be counted and compared with other ranks': it does "
                "not tell its layers, as one built with ProfilingVerbosity::kDETAILED does",
                rank);
    return {};
  }
  if (!HasPlan(plan) || static_cast<size_t>(*engine.collectives) == plan.collectives.size()) return {};
  return Fail(Code::kInvalidArgument, "rank {}: the engine has {} collectives, the plan lists {}", rank,
              *engine.collectives, plan.collectives.size());
}

Result<void> CheckNames(const std::vector<TensorInfo>& got, const std::vector<plan::TensorPlan>& wanted,
                        const char* what) {
  if (wanted.empty()) return {};  // a directory without a plan: the engine's own word counts
  for (const plan::TensorPlan& tensor : wanted) {
    auto found = std::find_if(got.begin(), got.end(),
                              [&](const TensorInfo& info) { return info.spec.name == tensor.spec.name; });
    if (found == got.end())
      return Fail(Code::kInvalidArgument, "the engine has no {} '{}'", what, tensor.spec.name);
    if (found->spec.type != tensor.spec.type) {
      return Fail(Code::kInvalidArgument, "{} '{}' is {} in the engine, {} in the plan", what,
                  tensor.spec.name, DTypeName(found->spec.type), DTypeName(tensor.spec.type));
    }
  }
  if (got.size() == wanted.size()) return {};
  return Fail(Code::kInvalidArgument, "the engine has {} {}s, the plan lists {}", got.size(), what,
              wanted.size());
}

Result<void> CheckShapeTensor(const TensorSpec& input) {
  if (!input.on_host) return {};
  const bool is_number = input.type == DType::kInt32 || input.type == DType::kInt64;
  if (is_number && input.shape.size() <= 1 && IsStatic(input.shape)) return {};
  return Fail(Code::kUnsupported, "shape tensor '{}' is {} {}, wanted INT32 or INT64 of a fixed size",
              input.name, DTypeName(input.type), ToString(input.shape));
}

}  // namespace

std::optional<int> CollectiveLayersOf(const nvinfer1::ICudaEngine& engine) {
  if (engine.getProfilingVerbosity() != nvinfer1::ProfilingVerbosity::kDETAILED) return std::nullopt;
  const std::unique_ptr<nvinfer1::IEngineInspector> inspector(engine.createEngineInspector());
  if (!inspector) return std::nullopt;
  int count = 0;
  for (int32_t layer = 0; layer < engine.getNbLayers(); ++layer) {
    const char* text = inspector->getLayerInformation(layer, nvinfer1::LayerInformationFormat::kONELINE);
    if (text == nullptr) return std::nullopt;
    const auto collective = plan::CollectiveOfLayer(text);
    if (collective && collective->first_profile) ++count;
  }
  return count;
}

bool WantsCommunicator(const plan::Plan& plan) {
  return plan.world_size() > 1 && (!HasPlan(plan) || !plan.collectives.empty());
}

Result<void> CheckRanksAgree(const std::vector<Declared>& engines, const plan::Plan& plan) {
  const Declared& first = engines.front();
  const auto counted = std::find_if(engines.begin(), engines.end(),
                                    [](const Declared& engine) { return engine.collectives.has_value(); });
  for (const Declared& engine : engines) {
    const int rank = engine.rank.value();
    TRY(CheckSame(engine.tensors.inputs, first.tensors.inputs, engine.rank, "input", true));
    TRY(CheckSame(engine.tensors.outputs, first.tensors.outputs, engine.rank, "output", false));
    if (engine.profiles != first.profiles) {
      return Fail(Code::kInvalidArgument, "rank {}: the engine has {} profiles, rank 0's has {}", rank,
                  engine.profiles, first.profiles);
    }
    TRY(CheckCollectives(engine, plan));
    if (engine.collectives && *engine.collectives != *counted->collectives) {
      return Fail(Code::kInvalidArgument, "rank {}: the engine has {} collectives, rank {}'s has {}", rank,
                  *engine.collectives, counted->rank.value(), *counted->collectives);
    }
  }
  return {};
}

Result<void> CheckTensors(const EngineTensors& tensors, const plan::Plan& plan) {
  for (const TensorInfo& input : tensors.inputs) TRY(CheckShapeTensor(input.spec));
  for (const TensorInfo& output : tensors.outputs) {
    if (!output.spec.on_host) continue;
    return Fail(Code::kUnsupported, "output '{}' is a shape tensor, which is served as an input only",
                output.spec.name);
  }
  TRY(CheckNames(tensors.inputs, plan.inputs, "input"));
  return CheckNames(tensors.outputs, plan.outputs, "output");
}

}  // namespace tessera::engine
