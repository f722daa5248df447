#include "tessera/build/profiles.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <set>

namespace tessera::build {
namespace {

constexpr SizeRange kFirst{1, 8, 64};
constexpr SizeRange kOther{1, 128, 512};

// A free dimension of all inputs that have it.
struct FreeDim {
  SizeRange sizes;
  int64_t multiple = 1;  // of which every size must be one
};
using FreeDims = std::map<std::string, FreeDim>;

std::string DimName(const plan::TensorPlan& input, size_t dim) {
  const std::string& name = input.dim_names[dim];
  return name.empty() ? fmt::format("{}.{}", input.spec.name, dim) : name;
}

bool IsCut(const plan::TensorPlan& input, size_t dim) {
  return input.layout.kind == plan::Layout::Kind::kSplit && static_cast<size_t>(input.layout.axis) == dim;
}

bool IsFree(const plan::TensorPlan& input) {
  return !IsStatic(input.spec.shape);
}

FreeDims FindFreeDims(const plan::Plan& plan) {
  FreeDims dims;
  for (const plan::TensorPlan& input : plan.inputs) {
    for (size_t d = 0; d < input.spec.shape.size(); ++d) {
      if (input.spec.shape[d] != kDynamic) continue;
      FreeDim& dim = dims.try_emplace(DimName(input, d), FreeDim{d == 0 ? kFirst : kOther}).first->second;
      if (!input.multiples.empty()) dim.multiple = std::lcm(dim.multiple, input.multiples[d]);
      if (IsCut(input, d)) dim.multiple = std::lcm<int64_t>(dim.multiple, plan.world_size());
    }
  }
  return dims;
}

int64_t RoundUp(int64_t size, int64_t multiple) {
  return (size + multiple - 1) / multiple * multiple;
}

Result<void> Take(FreeDims& dims, const std::string& name, const SizeRange& sizes) {
  const auto found = dims.find(name);
  if (found == dims.end()) {
    std::set<std::string> names;
    for (const auto& [known, dim] : dims) names.insert(known);
    return Fail(Code::kInvalidArgument, "no input has a free dimension '{}', there {}: {}", name,
                names.size() == 1 ? "is" : "are",
                names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", ")));
  }
  for (const int64_t size : {sizes.least, sizes.usual, sizes.most}) {
    if (size % found->second.multiple == 0) continue;
    return Fail(Code::kInvalidArgument, "dimension '{}' of size {}: wanted a multiple of {}", name, size,
                found->second.multiple);
  }
  found->second.sizes = sizes;
  return {};
}

}  // namespace

Result<plan::Profile> MakeProfile(const plan::Plan& plan, const SizesByDim& sizes) {
  FreeDims dims = FindFreeDims(plan);
  for (auto& [name, dim] : dims) {
    for (int64_t* size : {&dim.sizes.least, &dim.sizes.usual, &dim.sizes.most})
      *size = RoundUp(*size, dim.multiple);
  }
  for (const auto& [name, range] : sizes) TRY(Take(dims, name, range));
  plan::Profile profile;
  for (const plan::TensorPlan& input : plan.inputs) {
    if (!IsFree(input)) continue;
    plan::InputRange range{input.spec.name, input.spec.shape, input.spec.shape, input.spec.shape};
    for (size_t d = 0; d < input.spec.shape.size(); ++d) {
      if (input.spec.shape[d] != kDynamic) continue;
      const SizeRange& dim = dims.at(DimName(input, d)).sizes;
      range.least[d] = dim.least;
      range.usual[d] = dim.usual;
      range.most[d] = dim.most;
    }
    profile.push_back(std::move(range));
  }
  return profile;
}

plan::Profile OfOneRank(const plan::Profile& profile, const plan::Plan& plan) {
  plan::Profile local = profile;
  for (plan::InputRange& range : local) {
    const auto input =
        std::find_if(plan.inputs.begin(), plan.inputs.end(),
                     [&](const plan::TensorPlan& tensor) { return tensor.spec.name == range.input; });
    if (input == plan.inputs.end() || input->layout.kind != plan::Layout::Kind::kSplit) continue;
    const auto axis = static_cast<size_t>(input->layout.axis);
    for (Shape* shape : {&range.least, &range.usual, &range.most}) (*shape)[axis] /= plan.world_size();
  }
  return local;
}

}  // namespace tessera::build
