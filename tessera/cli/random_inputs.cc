#include "tessera/cli/random_inputs.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <random>
#include <set>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tessera/cli/dim_option.h"

namespace tessera::cli {
namespace {

using Random = std::mt19937_64;

// `known`: the sizes of names, with those that this input is the first to have.
Shape FixShape(const plan::TensorPlan& input, const Sizes& sizes, std::map<std::string, int64_t>& known) {
  Shape shape = input.spec.shape;
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] != kDynamic) continue;
    shape[i] = i == 0 ? sizes.batch : sizes.length;
    const std::string name = i < input.dim_names.size() ? input.dim_names[i] : "";
    if (!name.empty()) shape[i] = known.emplace(name, shape[i]).first->second;
  }
  return shape;
}

void FillUniform(HostTensor& tensor, const ElementAccess& access, double low, double high, Random& random) {
  std::uniform_real_distribution<double> values(low, high);
  for (size_t i = 0; i < tensor.count(); ++i) access.write(&tensor.bytes[i * access.bytes], values(random));
}

void FillIndexes(HostTensor& tensor, const ElementAccess& access, int64_t bound, Random& random) {
  std::uniform_int_distribution<int64_t> values(0, std::max<int64_t>(bound, 1) - 1);
  for (size_t i = 0; i < tensor.count(); ++i) {
    access.write(&tensor.bytes[i * access.bytes], static_cast<double>(values(random)));
  }
}

// Each row is ones up to a random end and zeros behind it, as a padded batch of texts has it; at least one 1
// a row.
void FillMask(HostTensor& tensor, const ElementAccess& access, Random& random) {
  const size_t row = tensor.spec.shape.empty() ? 1 : static_cast<size_t>(tensor.spec.shape.back());
  if (row == 0) return;
  for (size_t start = 0; start < tensor.count(); start += row) {
    const size_t ones = std::uniform_int_distribution<size_t>((row + 1) / 2, row)(random);
    for (size_t i = 0; i < row; ++i)
      access.write(&tensor.bytes[(start + i) * access.bytes], i < ones ? 1 : 0);
  }
}

std::set<std::string> DynamicNames(const plan::Plan& plan) {
  std::set<std::string> names;
  for (const plan::TensorPlan& input : plan.inputs) {
    for (size_t i = 0; i < input.dim_names.size(); ++i) {
      if (input.spec.shape[i] == kDynamic && !input.dim_names[i].empty()) names.insert(input.dim_names[i]);
    }
  }
  return names;
}

// The multiple that every free first dimension (or every other free one) can be.
int64_t CommonMultiple(const plan::Plan& plan, bool first) {
  int64_t multiple = 1;
  for (const plan::TensorPlan& input : plan.inputs) {
    for (size_t dim = 0; dim < input.spec.shape.size(); ++dim) {
      if (input.spec.shape[dim] == kDynamic && (dim == 0) == first)
        multiple = std::lcm(multiple, SizeMultiple(plan, input, dim));
    }
  }
  return multiple;
}

int64_t RoundUp(int64_t size, int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

Result<std::vector<HostTensor>> FillInputs(const plan::Plan& plan, const std::vector<Shape>& shapes,
                                           const std::map<std::string, int64_t>& index_bounds,
                                           uint64_t seed) {
  Random random(seed);
  std::vector<HostTensor> tensors;
  for (size_t i = 0; i < shapes.size(); ++i) {
    const TensorSpec& spec = plan.inputs[i].spec;
    TRY_ASSIGN(HostTensor tensor, MakeTensor({spec.name, spec.type, shapes[i]}));
    TRY_ASSIGN(const ElementAccess access, AccessOf(spec.type));
    const auto bound = index_bounds.find(spec.name);
    if (bound != index_bounds.end()) {
      FillIndexes(tensor, access, bound->second, random);
    } else if (IsFloat(spec.type)) {
      FillUniform(tensor, access, -1, 1, random);
    } else {
      FillMask(tensor, access, random);
    }
    tensors.push_back(std::move(tensor));
  }
  return tensors;
}

}  // namespace

int64_t SizeMultiple(const plan::Plan& plan, const plan::TensorPlan& input, size_t dim) {
  const bool split =
      input.layout.kind == plan::Layout::Kind::kSplit && static_cast<size_t>(input.layout.axis) == dim;
  const int64_t wanted = dim < input.multiples.size() ? input.multiples[dim] : 1;
  return std::lcm(std::max<int64_t>(wanted, 1), split ? plan.world_size() : 1);
}

Result<Sizes> ChooseSizes(const SizeOptions& options, const plan::Plan& plan, const Sizes& otherwise) {
  for (auto [name, size] : {std::pair("--batch", options.batch), std::pair("--length", options.length)}) {
    if (size < 0) return Fail(Code::kInvalidArgument, "{} is {}, wanted a positive size", name, size);
  }
  Sizes sizes = otherwise;
  sizes.batch = RoundUp(sizes.batch, CommonMultiple(plan, /*first=*/true));
  sizes.length = RoundUp(sizes.length, CommonMultiple(plan, /*first=*/false));
  if (options.batch != 0) sizes.batch = options.batch;
  if (options.length != 0) sizes.length = options.length;
  const std::set<std::string> names = DynamicNames(plan);
  TRY_ASSIGN(sizes.named, ParseDims(options.dims));
  for (const auto& [name, size] : sizes.named) {
    if (names.contains(name)) continue;
    return Fail(Code::kInvalidArgument,
                "--dim '{}={}': no input has a free dimension of this name; there are [{}]", name, size,
                fmt::to_string(fmt::join(names, ", ")));
  }
  return sizes;
}

std::vector<Shape> InputShapes(const plan::Plan& plan, const Sizes& sizes) {
  std::vector<Shape> shapes;
  std::map<std::string, int64_t> known = sizes.named;
  for (const plan::TensorPlan& input : plan.inputs) shapes.push_back(FixShape(input, sizes, known));
  return shapes;
}

Result<std::vector<HostTensor>> RandomInputs(const plan::Plan& plan, const Sizes& sizes,
                                             const std::map<std::string, int64_t>& index_bounds,
                                             uint64_t seed) {
  return FillInputs(plan, InputShapes(plan, sizes), index_bounds, seed);
}

Result<std::vector<HostTensor>> RandomInputs(const plan::Plan& plan, const std::vector<Shape>& shapes,
                                             uint64_t seed) {
  std::map<std::string, int64_t> index_bounds;
  for (const plan::TensorPlan& input : plan.inputs) {
    if (input.index_bound > 0) index_bounds[input.spec.name] = input.index_bound;
  }
  return FillInputs(plan, shapes, index_bounds, seed);
}

}  // namespace tessera::cli
