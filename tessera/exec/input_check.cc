#include "tessera/exec/input_check.h"

#include <string>
#include <utility>

#include "tessera/engine/step_check.h"

namespace tessera::exec {
namespace {

Result<void> CheckData(const TensorView& input, const std::string& name) {
  const uint64_t bytes = BytesOf(input.type, input.shape).value();
  const uint64_t got = input.data.data == nullptr ? 0 : input.data.bytes();
  if (got == bytes) return {};
  return Fail(Code::kInvalidArgument, "input '{}' {} has {} bytes of data, wanted {}", name,
              ToString(input.shape), got, bytes);
}

Result<void> CheckSplit(const TensorView& input, const plan::TensorPlan& planned, int world_size) {
  const auto axis = static_cast<size_t>(planned.layout.axis);
  if (input.shape[axis] % world_size != 0) {
    return Fail(Code::kInvalidArgument, "input '{}' is {}: axis {} does not divide by {} ranks",
                planned.spec.name, ToString(input.shape), axis, world_size);
  }
  if (!input.data.contiguous() || BitsOf(input.type) % 8 != 0) {
    return Fail(Code::kInvalidArgument, "input '{}' is split over the ranks: wanted it dense, of whole bytes",
                planned.spec.name);
  }
  return {};
}

Result<void> CheckMultiples(const TensorView& input, const plan::TensorPlan& planned) {
  for (size_t i = 0; i < planned.multiples.size(); ++i) {
    if (input.shape[i] % planned.multiples[i] == 0) continue;
    return Fail(Code::kInvalidArgument,
                "input '{}' is {}: dimension {} is {}, this plan wants a multiple of {}", planned.spec.name,
                ToString(input.shape), i, input.shape[i], planned.multiples[i]);
  }
  return {};
}

Result<void> CheckInput(const TensorView& input, const plan::TensorPlan& planned, int world_size) {
  const TensorSpec& spec = planned.spec;
  if (input.type != spec.type) {
    return Fail(Code::kInvalidArgument, "input '{}' is {}, model wants {}", spec.name, DTypeName(input.type),
                DTypeName(spec.type));
  }
  if (!engine::Fits(input.shape, spec.shape)) {
    return Fail(Code::kInvalidArgument, "input '{}' is {}, model wants {}", spec.name, ToString(input.shape),
                ToString(spec.shape));
  }
  TRY(CheckData(input, spec.name));
  TRY(CheckMultiples(input, planned));
  if (planned.layout.kind != plan::Layout::Kind::kSplit) return {};
  return CheckSplit(input, planned, world_size);
}

// A dimension of a name and the input that set its size.
struct NamedSize {
  const std::string* name;
  int64_t size;
  const std::string* input;
};

Result<void> CheckNames(const TensorView& input, const plan::TensorPlan& planned,
                        std::vector<NamedSize>& known) {
  for (size_t i = 0; i < planned.dim_names.size() && i < input.shape.size(); ++i) {
    const std::string& name = planned.dim_names[i];
    if (name.empty()) continue;
    bool seen = false;
    for (const NamedSize& size : known) {
      if (*size.name != name) continue;
      seen = true;
      if (size.size == input.shape[i]) continue;
      return Fail(Code::kInvalidArgument, "input '{}' is {}: '{}' is {}, but {} in input '{}'",
                  planned.spec.name, ToString(input.shape), name, input.shape[i], size.size, *size.input);
    }
    if (!seen) known.push_back({&name, input.shape[i], &planned.spec.name});
  }
  return {};
}

}  // namespace

Result<void> CheckInputs(std::span<const TensorView> inputs, const std::vector<plan::TensorPlan>& planned,
                         int world_size) {
  if (inputs.size() != planned.size()) {
    return Fail(Code::kInvalidArgument, "{} inputs, model wants {}", inputs.size(), planned.size());
  }
  std::vector<NamedSize> known;
  for (size_t i = 0; i < inputs.size(); ++i) {
    TRY(CheckInput(inputs[i], planned[i], world_size));
    TRY(CheckNames(inputs[i], planned[i], known));
  }
  return {};
}

}  // namespace tessera::exec
