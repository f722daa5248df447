// Proves on examples that a sharded model computes what the whole one does.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/compare.h"
#include "tessera/cli/runner.h"

namespace tessera::cli {

// One set of inputs, in the order of the sharded model's plan.
using Inputs = std::vector<HostTensor>;

// What `model` makes of `inputs`, which are in the order of `plan`; so is the answer. The model may have its
// own order. Errors: kInvalidArgument (an input or output that only one of them has), those of the model.
Result<std::vector<HostTensor>> AnswerOf(Runner& model, const Inputs& inputs, const plan::Plan& plan);

// The worst of all cases for one output.
struct OutputCheck {
  std::string name;
  DType type = DType::kUndefined;
  Difference worst;
  bool ok = true;
};

// Runs every case on both models and compares output by output.
// Errors: kInvalidArgument (an output that only one of them has, types or shapes that differ), those of the
// models.
Result<std::vector<OutputCheck>> VerifyOutputs(Runner& sharded, Runner& whole,
                                               const std::vector<Inputs>& cases, double tolerance);

// Runs each row of `batch` alone and compares with the same row of the whole batch: what batching relies on.
// The first dimension of every input and output is the batch's.
Result<std::vector<OutputCheck>> VerifyRows(Runner& model, const Inputs& batch, double tolerance);

bool AllOk(const std::vector<OutputCheck>& checks);

// `given` (of an .npz file) in the order of the plan's inputs. Errors: kInvalidArgument (one that is missing
// or that the model does not have, a type or shape that does not fit: the line names it, the got and the
// wanted).
Result<Inputs> OrderInputs(const plan::Plan& plan, const std::vector<HostTensor>& given);

}  // namespace tessera::cli
