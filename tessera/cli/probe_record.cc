#include "tessera/cli/probe_record.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "tessera/cli/random_inputs.h"
#include "tessera/cli/text.h"
#include "tessera/cli/verify.h"
#include "tessera/graph/onnx.h"
#include "tessera/plan/probe_file.h"

namespace tessera::cli {
namespace {

constexpr uint64_t kSeed = 1;

std::vector<Shape> SizesOf(const plan::Plan& plan, const plan::Profile& profile,
                           Shape plan::InputRange::*end) {
  std::vector<Shape> shapes;
  for (const plan::TensorPlan& input : plan.inputs) {
    const auto range = std::find_if(profile.begin(), profile.end(),
                                    [&](const auto& known) { return known.input == input.spec.name; });
    shapes.push_back(range == profile.end() ? input.spec.shape : (*range).*end);
  }
  return shapes;
}

bool IsQuantized(const graph::Node& node) {
  constexpr std::array<std::string_view, 6> kOps{"QuantizeLinear", "DynamicQuantizeLinear", "MatMulInteger",
                                                 "ConvInteger",    "QLinearMatMul",         "QLinearConv"};
  return std::find(kOps.begin(), kOps.end(), node.op_type) != kOps.end();
}

std::vector<TensorView> ViewsOf(const std::vector<HostTensor>& tensors) {
  std::vector<TensorView> views;
  for (const HostTensor& tensor : tensors) views.push_back(tensor.View());
  return views;
}

uint64_t BytesOfAll(const std::vector<HostTensor>& tensors) {
  uint64_t bytes = 0;
  for (const HostTensor& tensor : tensors) bytes += tensor.bytes.size();
  return bytes;
}

}  // namespace

std::vector<std::vector<Shape>> ProbeSizes(const plan::Plan& plan,
                                           const std::vector<plan::Profile>& profiles) {
  if (!profiles.empty()) {
    return {SizesOf(plan, profiles.front(), &plan::InputRange::usual),
            SizesOf(plan, profiles.front(), &plan::InputRange::least)};
  }
  const Result<Sizes> sizes = ChooseSizes({}, plan, {2, 16, {}});
  return {InputShapes(plan, sizes.value_or(Sizes{}))};
}

uint64_t InputBytes(const plan::Plan& plan, const std::vector<Shape>& shapes) {
  uint64_t bytes = 0;
  for (size_t i = 0; i < shapes.size(); ++i) bytes += BytesOf(plan.inputs[i].spec.type, shapes[i]).value();
  return bytes;
}

bool TakesSizes(const plan::Profile& profile, const plan::Plan& plan, const std::vector<Shape>& shapes) {
  const std::vector<Shape> least = SizesOf(plan, profile, &plan::InputRange::least);
  const std::vector<Shape> most = SizesOf(plan, profile, &plan::InputRange::most);
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].size() != least[i].size()) return false;
    for (size_t d = 0; d < shapes[i].size(); ++d) {
      if (shapes[i][d] < least[i][d] || shapes[i][d] > most[i][d]) return false;
    }
  }
  return true;
}

Result<plan::Arithmetic> ArithmeticOf(const std::filesystem::path& onnx) {
  TRY_ASSIGN(const graph::Graph graph, graph::ReadOnnx(onnx));
  plan::Arithmetic arithmetic;
  for (const graph::Value& value : graph.values()) {
    const DType type = value.constant ? value.constant->type : value.type;
    arithmetic.half = arithmetic.half || type == DType::kFloat16;
    arithmetic.bfloat16 = arithmetic.bfloat16 || type == DType::kBFloat16;
  }
  arithmetic.quantized = std::any_of(graph.nodes().begin(), graph.nodes().end(), IsQuantized);
  return arithmetic;
}

std::vector<double> ProbeTolerances(const plan::Plan& plan, const plan::Arithmetic& arithmetic,
                                    std::optional<double> given) {
  std::vector<double> tolerances;
  for (const plan::TensorPlan& output : plan.outputs)
    tolerances.push_back(given.value_or(plan::Tolerance(output.spec.type, arithmetic)));
  return tolerances;
}

Result<plan::Probe> RecordProbe(const plan::Plan& plan, Runner& model, const ProbeOrder& order,
                                const std::filesystem::path& directory) {
  std::string too_large;
  for (const std::vector<Shape>& sizes : order.sizes) {
    const uint64_t input_bytes = InputBytes(plan, sizes);
    if (input_bytes > kMostProbeInput && !order.any_size) {
      too_large = fmt::format("its inputs have {}, at most {} are recorded unasked",
                              FormatBytes(ByteCount{input_bytes}), FormatBytes(ByteCount{kMostProbeInput}));
      continue;
    }
    TRY_ASSIGN(const std::vector<HostTensor> inputs, RandomInputs(plan, sizes, kSeed));
    TRY_ASSIGN(const std::vector<HostTensor> answer, AnswerOf(model, inputs, plan));
    const uint64_t bytes = input_bytes + BytesOfAll(answer);
    if (bytes > kMostProbeFile && !order.any_size) {
      too_large = fmt::format("with its answer it has {}, at most {} are recorded unasked",
                              FormatBytes(ByteCount{bytes}), FormatBytes(ByteCount{kMostProbeFile}));
      continue;
    }
    return plan::WriteProbe(ViewsOf(inputs), ViewsOf(answer), order.tolerances, order.reference, directory);
  }
  return Fail(Code::kUnsupported, "the probe is large: {}", too_large);
}

}  // namespace tessera::cli
