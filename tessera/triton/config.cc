#include "tessera/triton/config.h"

#include <fmt/core.h>

#include <algorithm>

#include "tessera/triton/data_type.h"
#include "tessera/triton/json_fields.h"

namespace tessera::triton {
namespace {

using nlohmann::json;
using plan::TensorPlan;

// The shape that the backend sees: after Triton's reshape, without the batch dimension.
Shape ConfiguredShape(const json& tensor) {
  const json& reshape = Field(tensor, "reshape");
  return ReadShape(reshape.is_null() ? Field(tensor, "dims") : Field(reshape, "shape"));
}

bool TakesBatch(const TensorSpec& tensor, int64_t max_batch) {
  const Shape& shape = tensor.shape;
  if (shape.empty()) return false;
  if (tensor.on_host) return shape[0] > 1;  // the batch, and what a request gives
  return shape[0] == kDynamic || (shape[0] == 1 && max_batch == 1);
}

// A shape tensor's batch is its first value, as NVIDIA's backend has it. One that takes no batch keeps its
// shape, for the server to pass it on to CheckBatch.
Shape WithoutBatch(const TensorSpec& tensor, bool batched) {
  const Shape& shape = tensor.shape;
  if (!batched || shape.empty()) return shape;
  if (tensor.on_host) return {std::max<int64_t>(shape[0] - 1, 1)};
  return {shape.begin() + 1, shape.end()};
}

const TensorPlan* Find(const std::vector<TensorPlan>& tensors, const std::string& name) {
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.spec.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

void CompleteTensor(json& tensor, const TensorPlan& wanted, bool batched) {
  if (tensor.value("data_type", std::string("TYPE_INVALID")) == "TYPE_INVALID") {
    tensor["data_type"] = ConfigTypeName(wanted.spec.type);
  }
  if (wanted.spec.on_host) tensor["is_shape_tensor"] = true;
  if (Given(tensor, "dims")) return;
  Shape shape = WithoutBatch(wanted.spec, batched);
  tensor["dims"] = shape.empty() ? Shape{1} : shape;
  if (shape.empty()) tensor["reshape"] = {{"shape", json::array()}};  // Triton wants at least one dimension
}

json CompleteTensors(json configured, const std::vector<TensorPlan>& tensors, bool batched) {
  if (!configured.is_array() || configured.empty()) {
    configured = json::array();
    for (const TensorPlan& t : tensors) configured.push_back({{"name", t.spec.name}});
  }
  for (json& entry : configured) {
    const TensorPlan* wanted = Find(tensors, entry.value("name", std::string()));
    if (wanted != nullptr)
      CompleteTensor(entry, *wanted, batched);  // a stranger is refused by ValidateConfig
  }
  return configured;
}

bool SaysDims(const json& config) {
  for (const char* side : {"input", "output"}) {
    for (const json& tensor : Field(config, side)) {
      if (Given(tensor, "dims")) return true;
    }
  }
  return false;
}

Result<void> CheckShape(const char* side, const TensorPlan& wanted, const json& entry, bool batched) {
  Shape got = ConfiguredShape(entry);
  Shape want = WithoutBatch(wanted.spec, batched);
  bool fits = got.size() == want.size();
  for (size_t i = 0; fits && i < got.size(); ++i) fits = want[i] == kDynamic || got[i] == want[i];
  if (fits) return {};
  return Fail(Code::kInvalidArgument, "{} '{}' is configured as {}, the model has {}{}", side,
              wanted.spec.name, ToString(got), ToString(want), batched ? " after the batch dimension" : "");
}

Result<void> CheckTensor(const char* side, const TensorPlan& wanted, const json& entry, bool batched) {
  const std::string& name = wanted.spec.name;
  if (!IsServed(wanted.spec.type)) {
    return Fail(Code::kUnsupported, "{} '{}' is {}: not a type that this backend serves", side, name,
                DTypeName(wanted.spec.type));
  }
  std::string type = entry.value("data_type", std::string("TYPE_INVALID"));
  if (FromConfigTypeName(type) != wanted.spec.type) {
    return Fail(Code::kInvalidArgument, "{} '{}' is configured as {}, the model has {}", side, name, type,
                ConfigTypeName(wanted.spec.type));
  }
  const bool said = entry.value("is_shape_tensor", false);
  if (said && !wanted.spec.on_host) {
    return Fail(Code::kInvalidArgument, "'{}' is incorrectly specified as a shape tensor.", name);
  }
  if (!said && wanted.spec.on_host && batched) {
    return Fail(Code::kInvalidArgument, "{} '{}' is a shape tensor: wanted is_shape_tensor to be true", side,
                name);
  }
  for (const char* unserved : {"allow_ragged_batch", "optional", "is_non_linear_format_io"}) {
    if (entry.value(unserved, false)) {
      return Fail(Code::kUnsupported, "{} '{}' is configured with {}, which is not served", side, name,
                  unserved);
    }
  }
  return CheckShape(side, wanted, entry, batched);
}

Result<void> CheckTensors(const char* side, const json& configured, const std::vector<TensorPlan>& tensors,
                          bool batched) {
  for (const json& entry : configured) {
    std::string name = entry.value("name", std::string());
    const TensorPlan* wanted = Find(tensors, name);
    if (wanted == nullptr) {
      std::string known;
      for (const TensorPlan& t : tensors) known += (known.empty() ? "'" : ", '") + t.spec.name + "'";
      return Fail(Code::kInvalidArgument, "{} '{}' is configured, the model has {}", side, name, known);
    }
    TRY(CheckTensor(side, *wanted, entry, batched));
  }
  return {};
}

Result<void> CheckAllInputsConfigured(const json& configured, const std::vector<TensorPlan>& inputs) {
  for (const TensorPlan& input : inputs) {
    auto same = [&](const json& entry) { return entry.value("name", std::string()) == input.spec.name; };
    if (std::none_of(configured.begin(), configured.end(), same)) {
      return Fail(Code::kInvalidArgument, "input '{}' of the model is missing in the configuration",
                  input.spec.name);
    }
  }
  return {};
}

Result<void> CheckBatch(const char* side, const std::vector<TensorPlan>& tensors, int64_t max_batch) {
  for (const TensorPlan& t : tensors) {
    if (TakesBatch(t.spec, max_batch)) continue;
    return Fail(Code::kInvalidArgument, "max_batch_size is {}, but {} '{}' is {}: {}", max_batch, side,
                t.spec.name, ToString(t.spec.shape),
                t.spec.on_host ? "a shape tensor with no value beside the batch"
                               : "its first dimension is not a free batch dimension");
  }
  return {};
}

}  // namespace

std::string WhyNotBatched(const plan::Plan& plan) {
  const TensorPlan* named = nullptr;
  for (const auto* tensors : {&plan.inputs, &plan.outputs}) {
    for (const TensorPlan& t : *tensors) {
      if (t.spec.shape.empty() || t.spec.shape[0] != kDynamic) {
        return fmt::format("'{}' is {}", t.spec.name, ToString(t.spec.shape));
      }
      if (t.dim_names.empty() || t.dim_names[0].empty()) continue;
      if (named == nullptr) named = &t;
      if (t.dim_names[0] != named->dim_names[0]) {
        return fmt::format("the first dimension of '{}' is '{}', that of '{}' is '{}'", named->spec.name,
                           named->dim_names[0], t.spec.name, t.dim_names[0]);
      }
    }
  }
  return plan.inputs.empty() ? "it has no inputs" : "";
}

json CompleteConfig(json config, const plan::Plan& plan, int64_t default_batch,
                    std::optional<int64_t> max_rows) {
  int64_t max_batch = config.value("max_batch_size", int64_t{0});
  if (max_batch == 0 && !SaysDims(config) && WhyNotBatched(plan).empty()) {
    max_batch = std::min(default_batch, max_rows.value_or(default_batch));
  }
  config["max_batch_size"] = max_batch;
  config["input"] = CompleteTensors(Field(config, "input"), plan.inputs, max_batch > 0);
  config["output"] = CompleteTensors(Field(config, "output"), plan.outputs, max_batch > 0);
  bool has_scheduler = config.contains("dynamic_batching") || config.contains("sequence_batching");
  if (max_batch > 1 && !has_scheduler) config["dynamic_batching"] = json::object();
  return config;
}

Result<void> ValidateConfig(const json& config, const plan::Plan& plan, std::optional<int64_t> max_rows) {
  if (config.contains("sequence_batching")) {
    return Fail(Code::kUnsupported, "sequence_batching is configured, which is not served");
  }
  for (const char* unserved : {"batch_input", "batch_output"}) {
    if (Given(config, unserved))
      return Fail(Code::kUnsupported, "{} is configured, which is not served", unserved);
  }
  int64_t max_batch = config.value("max_batch_size", int64_t{0});
  if (max_rows && max_batch > *max_rows) {
    return Fail(Code::kInvalidArgument,
                "configuration specified max-batch {} but TensorRT engine only supports max-batch {}",
                max_batch, *max_rows);
  }
  if (max_batch > 0) {
    TRY(CheckBatch("input", plan.inputs, max_batch));
    TRY(CheckBatch("output", plan.outputs, max_batch));
  }
  TRY(CheckTensors("input", Field(config, "input"), plan.inputs, max_batch > 0));
  TRY(CheckTensors("output", Field(config, "output"), plan.outputs, max_batch > 0));
  return CheckAllInputsConfigured(Field(config, "input"), plan.inputs);
}

}  // namespace tessera::triton
