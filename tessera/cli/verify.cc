#include "tessera/cli/verify.h"

#include <algorithm>

namespace tessera::cli {
namespace {

const HostTensor* FindTensor(const std::vector<HostTensor>& tensors, const std::string& name) {
  auto found =
      std::find_if(tensors.begin(), tensors.end(), [&](const auto& t) { return t.spec.name == name; });
  return found == tensors.end() ? nullptr : &*found;
}

// The same inputs in the order of another model's plan.
Result<Inputs> Reorder(const Inputs& inputs, const plan::Plan& plan) {
  Inputs ordered;
  for (const plan::TensorPlan& wanted : plan.inputs) {
    const HostTensor* tensor = FindTensor(inputs, wanted.spec.name);
    if (tensor == nullptr) {
      return Fail(Code::kInvalidArgument, "the unsharded model wants an input '{}', the sharded one has none",
                  wanted.spec.name);
    }
    ordered.push_back(*tensor);
  }
  return ordered;
}

std::vector<OutputCheck> EmptyChecks(const plan::Plan& plan) {
  std::vector<OutputCheck> checks;
  for (const plan::TensorPlan& output : plan.outputs)
    checks.push_back({output.spec.name, output.spec.type, {}, true});
  return checks;
}

void Add(OutputCheck& check, const Difference& difference, double tolerance) {
  check.worst.max_abs = std::max(check.worst.max_abs, difference.max_abs);
  check.worst.max_rel = std::max(check.worst.max_rel, difference.max_rel);
  check.ok = check.ok && WithinTolerance(difference, check.type, tolerance);
}

// Row `row` of every tensor, as a batch of one.
std::vector<HostTensor> RowOf(const std::vector<HostTensor>& tensors, int64_t row) {
  std::vector<HostTensor> rows;
  for (const HostTensor& tensor : tensors) {
    const auto size = static_cast<ptrdiff_t>(tensor.bytes.size()) / tensor.spec.shape[0];
    HostTensor one{tensor.spec, {tensor.bytes.begin() + row * size, tensor.bytes.begin() + (row + 1) * size}};
    one.spec.shape[0] = 1;
    rows.push_back(std::move(one));
  }
  return rows;
}

bool Fits(const Shape& shape, const Shape& wanted) {
  return std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(),
                    [](int64_t got, int64_t want) { return want == kDynamic || got == want; });
}

}  // namespace

Result<std::vector<HostTensor>> AnswerOf(Runner& model, const Inputs& inputs, const plan::Plan& plan) {
  TRY_ASSIGN(const Inputs reordered, Reorder(inputs, model.plan()));
  TRY_ASSIGN(const std::vector<HostTensor>* outputs, model.Run(reordered));
  std::vector<HostTensor> answer;
  for (const plan::TensorPlan& wanted : plan.outputs) {
    const HostTensor* output = FindTensor(*outputs, wanted.spec.name);
    if (output == nullptr)
      return Fail(Code::kInvalidArgument, "the unsharded model has no output '{}'", wanted.spec.name);
    answer.push_back(*output);
  }
  return answer;
}

Result<std::vector<OutputCheck>> VerifyOutputs(Runner& sharded, Runner& whole,
                                               const std::vector<Inputs>& cases, double tolerance) {
  std::vector<OutputCheck> checks = EmptyChecks(sharded.plan());
  for (const Inputs& inputs : cases) {
    TRY_ASSIGN(const std::vector<HostTensor> wanted, AnswerOf(whole, inputs, sharded.plan()));
    TRY_ASSIGN(const std::vector<HostTensor>* got, sharded.Run(inputs));
    if (whole.plan().outputs.size() != checks.size()) {
      return Fail(Code::kInvalidArgument, "the sharded model has {} outputs, the unsharded one {}",
                  checks.size(), whole.plan().outputs.size());
    }
    for (size_t i = 0; i < checks.size(); ++i) {
      TRY_ASSIGN(const Difference difference, Compare((*got)[i], wanted[i]));
      Add(checks[i], difference, tolerance);
    }
  }
  return checks;
}

Result<std::vector<OutputCheck>> VerifyRows(Runner& model, const Inputs& batch, double tolerance) {
  std::vector<OutputCheck> checks = EmptyChecks(model.plan());
  const int64_t rows = batch.front().spec.shape.front();
  TRY_ASSIGN(const std::vector<HostTensor>* outputs, model.Run(batch));
  const std::vector<HostTensor> together = *outputs;  // the next run overwrites them
  for (const HostTensor& output : together) {
    if (output.spec.shape.front() != rows) {
      return Fail(Code::kInvalidArgument,
                  "output '{}' is {} for a batch of {}: its first dimension is no batch", output.spec.name,
                  ToString(output.spec.shape), rows);
    }
  }
  for (int64_t row = 0; row < rows; ++row) {
    const std::vector<HostTensor> wanted = RowOf(together, row);
    TRY_ASSIGN(const std::vector<HostTensor>* alone, model.Run(RowOf(batch, row)));
    for (size_t i = 0; i < checks.size(); ++i) {
      TRY_ASSIGN(const Difference difference, Compare((*alone)[i], wanted[i]));
      Add(checks[i], difference, tolerance);
    }
  }
  return checks;
}

bool AllOk(const std::vector<OutputCheck>& checks) {
  return std::all_of(checks.begin(), checks.end(), [](const OutputCheck& check) { return check.ok; });
}

Result<Inputs> OrderInputs(const plan::Plan& plan, const std::vector<HostTensor>& given) {
  Inputs ordered;
  for (const plan::TensorPlan& wanted : plan.inputs) {
    const TensorSpec& spec = wanted.spec;
    const HostTensor* tensor = FindTensor(given, spec.name);
    if (tensor == nullptr)
      return Fail(Code::kInvalidArgument, "no array '{}' for the input of that name", spec.name);
    if (tensor->spec.type != spec.type || !Fits(tensor->spec.shape, spec.shape)) {
      return Fail(Code::kInvalidArgument, "array '{}' is {} {}, the input wants {} {}", spec.name,
                  DTypeName(tensor->spec.type), ToString(tensor->spec.shape), DTypeName(spec.type),
                  ToString(spec.shape));
    }
    ordered.push_back(*tensor);
  }
  for (const HostTensor& tensor : given) {
    if (FindTensor(ordered, tensor.spec.name) == nullptr) {
      return Fail(Code::kInvalidArgument, "array '{}' is no input of the model", tensor.spec.name);
    }
  }
  return ordered;
}

}  // namespace tessera::cli
