// Random inputs that a model can take: sizes for its free dimensions, values that its kinds of inputs allow.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tessera/base/result.h"
#include "tessera/cli/host_tensor.h"
#include "tessera/plan/plan.h"

namespace tessera::cli {

// Sizes for dynamic dimensions. By name if `named` has it, else `batch` for an input's first dimension and
// `length` for the others: dimensions that must be equal then are, whether the model names them or not.
struct Sizes {
  int64_t batch = 2;
  int64_t length = 16;
  std::map<std::string, int64_t> named;
};

// Sizes as the command line gives them: --batch, --length (0 = not given), --dim NAME=SIZE.
struct SizeOptions {
  int64_t batch = 0;
  int64_t length = 0;
  std::vector<std::string> dims;
};

// What a request's size of that dimension must be a multiple of.
int64_t SizeMultiple(const plan::Plan& plan, const plan::TensorPlan& input, size_t dim);

// `otherwise`, rounded up to the multiples that the plan wants, with what the user gave. Errors:
// kInvalidArgument (a size that is not positive, a name that no input of `plan` has: the line tells the names
// there are).
Result<Sizes> ChooseSizes(const SizeOptions& options, const plan::Plan& plan, const Sizes& otherwise);

// One value for every input of the plan, the same for the same seed. Floats are uniform in [-1, 1); integers
// below the input's entry of `index_bounds`; integers without one are taken for masks: ones, then zeros
// behind a random end.
Result<std::vector<HostTensor>> RandomInputs(const plan::Plan& plan, const Sizes& sizes,
                                             const std::map<std::string, int64_t>& index_bounds,
                                             uint64_t seed);

// The same for inputs of these sizes, one an input, whose indexes are below the plan's bounds.
Result<std::vector<HostTensor>> RandomInputs(const plan::Plan& plan, const std::vector<Shape>& shapes,
                                             uint64_t seed);

// The shape of every input.
std::vector<Shape> InputShapes(const plan::Plan& plan, const Sizes& sizes);

}  // namespace tessera::cli
