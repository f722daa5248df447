#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include "tessera/plan/plan.h"
#include "tessera/plan/probe_file.h"

namespace tessera::plan {
namespace {

bool IsSha256(std::string_view text) {
  return text.size() == 64 && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

// Relative, and no step leads out of the directory.
bool StaysInside(const std::string& file) {
  if (file.empty() || file.front() == '/' || file.back() == '/' || file.find('\0') != std::string::npos)
    return false;
  const std::filesystem::path path(file);
  return std::none_of(path.begin(), path.end(), [](const auto& part) { return part == ".." || part == "."; });
}

Result<void> CheckMesh(const Plan& plan) {
  if (plan.ranks.empty()) return Fail(Code::kInvalidArgument, "'ranks' is empty, wanted at least one");
  std::set<std::string> names;
  uint64_t places = 1;
  for (const MeshAxis& axis : plan.mesh) {
    if (axis.name.empty()) return Fail(Code::kInvalidArgument, "'mesh' has an axis without a name");
    if (!names.insert(axis.name).second) {
      return Fail(Code::kInvalidArgument, "'mesh' has the axis '{}' twice", axis.name);
    }
    if (axis.size < 1) {
      return Fail(Code::kInvalidArgument, "mesh axis '{}' has size {}, wanted at least 1", axis.name,
                  axis.size);
    }
    // Stops before it overflows: no plan has more ranks than that.
    places = std::min<uint64_t>(places * static_cast<uint64_t>(axis.size), uint64_t{1} << 31);
  }
  if (places != plan.ranks.size()) {
    return Fail(Code::kInvalidArgument, "'mesh' has {} places, 'ranks' has {}", places, plan.ranks.size());
  }
  return {};
}

// `whose`: "rank 0".
Result<void> CheckArtifact(const Artifact& artifact, const std::string& whose) {
  if (!StaysInside(artifact.file)) {
    return Fail(Code::kInvalidArgument, "{}: file '{}' is not a path inside the plan's directory", whose,
                artifact.file);
  }
  if (!IsSha256(artifact.sha256)) {
    return Fail(Code::kInvalidArgument, "{}: sha256 of '{}' is '{}', wanted 64 hex digits", whose,
                artifact.file, artifact.sha256);
  }
  return {};
}

// A file that is a rank's by its name, "model.onnx.rank1", is no other's: whoever edits a plan may swap two,
// and each alone would load and compute.
Result<void> CheckRankOfName(const std::string& file, size_t rank) {
  constexpr std::string_view kMark = ".rank";
  const size_t at = file.rfind(kMark);
  if (at == file.npos) return {};
  const std::string_view number = std::string_view(file).substr(at + kMark.size());
  if (number.empty() || number.find_first_not_of("0123456789") != number.npos ||
      number == std::to_string(rank))
    return {};
  return Fail(Code::kInvalidArgument, "rank {}: '{}' is another rank's by its name", rank, file);
}

Result<void> CheckArtifacts(const Plan& plan) {
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    const std::string whose = fmt::format("rank {}", r);
    TRY(CheckArtifact(plan.ranks[r].model, whose));
    TRY(CheckRankOfName(plan.ranks[r].model.file, r));
    for (const Artifact& weights : plan.ranks[r].weights) TRY(CheckArtifact(weights, whose));
  }
  if (!plan.source_sha256.empty() && !IsSha256(plan.source_sha256)) {
    return Fail(Code::kInvalidArgument, "'source_sha256' is '{}', wanted 64 hex digits", plan.source_sha256);
  }
  return {};
}

Result<void> CheckSplit(const TensorPlan& tensor, std::string_view what, int64_t world_size) {
  const auto dims = static_cast<int64_t>(tensor.spec.shape.size());
  if (tensor.layout.axis < 0 || tensor.layout.axis >= dims) {
    return Fail(Code::kInvalidArgument, "{} '{}' is split on axis {} of {}", what, tensor.spec.name,
                tensor.layout.axis, dims);
  }
  const int64_t size = tensor.spec.shape[static_cast<size_t>(tensor.layout.axis)];
  if (size != kDynamic && size % world_size != 0) {
    return Fail(Code::kInvalidArgument, "{} '{}' is {}: axis {} does not divide by {} ranks", what,
                tensor.spec.name, ToString(tensor.spec.shape), tensor.layout.axis, world_size);
  }
  return {};
}

Result<void> CheckTensor(const TensorPlan& tensor, std::string_view what, const Plan& plan) {
  const TensorSpec& spec = tensor.spec;
  if (spec.name.empty()) return Fail(Code::kInvalidArgument, "an {} has no name", what);
  if (spec.type == DType::kUndefined)
    return Fail(Code::kInvalidArgument, "{} '{}' has no type", what, spec.name);
  if (std::any_of(spec.shape.begin(), spec.shape.end(), [](int64_t d) { return d < kDynamic; })) {
    return Fail(Code::kInvalidArgument, "{} '{}' is {}, wanted sizes from -1", what, spec.name,
                ToString(spec.shape));
  }
  if (tensor.dim_names.size() != spec.shape.size()) {
    return Fail(Code::kInvalidArgument, "{} '{}' has {} dimension names for {} dimensions", what, spec.name,
                tensor.dim_names.size(), spec.shape.size());
  }
  if (!tensor.multiples.empty() && tensor.multiples.size() != spec.shape.size()) {
    return Fail(Code::kInvalidArgument, "{} '{}' has {} multiples for {} dimensions", what, spec.name,
                tensor.multiples.size(), spec.shape.size());
  }
  if (tensor.layout.kind == Layout::Kind::kSplit) return CheckSplit(tensor, what, plan.world_size());
  const int rank = tensor.layout.rank.value();
  if (tensor.layout.kind == Layout::Kind::kRank && (rank < 0 || rank >= plan.world_size())) {
    return Fail(Code::kInvalidArgument, "{} '{}' is on rank {} of {}", what, spec.name, rank,
                plan.world_size());
  }
  return {};
}

Result<void> CheckTensors(const std::vector<TensorPlan>& tensors, std::string_view what, const Plan& plan) {
  std::set<std::string> names;
  for (const TensorPlan& tensor : tensors) {
    TRY(CheckTensor(tensor, what, plan));
    if (!names.insert(tensor.spec.name).second) {
      return Fail(Code::kInvalidArgument, "{} '{}' stands there twice", what, tensor.spec.name);
    }
  }
  return {};
}

Result<void> CheckCollective(const CollectivePlan& collective, const Plan& plan) {
  if (Reduces(collective.op) != (collective.reduce != ReduceOp::kNone)) {
    return Fail(Code::kInvalidArgument, "collective '{}' is {} with reduction {}", collective.name,
                Name(collective.op), Name(collective.reduce));
  }
  const bool known = std::any_of(plan.mesh.begin(), plan.mesh.end(),
                                 [&](const MeshAxis& axis) { return axis.name == collective.axis; });
  if (!known) {
    return Fail(Code::kInvalidArgument, "collective '{}' is over the axis '{}', which the mesh has not",
                collective.name, collective.axis);
  }
  return {};
}

Result<void> CheckCollectives(const Plan& plan) {
  std::set<std::string> names;
  for (const CollectivePlan& collective : plan.collectives) {
    if (collective.name.empty()) return Fail(Code::kInvalidArgument, "a collective has no name");
    if (!names.insert(collective.name).second) {
      return Fail(Code::kInvalidArgument, "collective '{}' stands there twice", collective.name);
    }
    TRY(CheckCollective(collective, plan));
  }
  return {};
}

// What ranges rely on: the input exists, has as many dimensions, and each is at most the next.
Result<void> CheckRange(const InputRange& range, const Plan& plan) {
  const auto input = std::find_if(plan.inputs.begin(), plan.inputs.end(),
                                  [&](const TensorPlan& tensor) { return tensor.spec.name == range.input; });
  if (input == plan.inputs.end())
    return Fail(Code::kInvalidArgument, "a profile is for the input '{}', which the model has not",
                range.input);
  const size_t dims = input->spec.shape.size();
  bool ordered = range.least.size() == dims && range.usual.size() == dims && range.most.size() == dims;
  for (size_t d = 0; ordered && d < dims; ++d) {
    ordered = range.least[d] >= 0 && range.least[d] <= range.usual[d] && range.usual[d] <= range.most[d];
  }
  if (ordered) return {};
  return Fail(Code::kInvalidArgument, "profile of input '{}' ({}): min {}, opt {}, max {} are no range of it",
              range.input, ToString(input->spec.shape), ToString(range.least), ToString(range.usual),
              ToString(range.most));
}

Result<void> CheckBuild(const Plan& plan) {
  const Build& build = *plan.build;
  if (build.library.empty()) return Fail(Code::kInvalidArgument, "'build.library' is empty");
  if (build.sources.size() != plan.ranks.size()) {
    return Fail(Code::kInvalidArgument, "'build.sources' has {} ranks, 'ranks' has {}", build.sources.size(),
                plan.ranks.size());
  }
  for (size_t r = 0; r < build.sources.size(); ++r) {
    const std::string whose = fmt::format("rank {}", r);
    TRY(CheckArtifact(build.sources[r].model, whose));
    TRY(CheckRankOfName(build.sources[r].model.file, r));
    for (const Artifact& weights : build.sources[r].weights) TRY(CheckArtifact(weights, whose));
  }
  for (const Profile& profile : build.profiles) {
    for (const InputRange& range : profile) TRY(CheckRange(range, plan));
  }
  return {};
}

constexpr double kMostElements = 1e12;  // a probe's file is small; more would overflow

// One request's size of what the plan says of `wanted`.
bool IsSizeOf(const Shape& shape, const Shape& wanted) {
  const bool fits =
      std::equal(shape.begin(), shape.end(), wanted.begin(), wanted.end(),
                 [](int64_t got, int64_t want) { return got >= 0 && (want == kDynamic || got == want); });
  return fits && std::accumulate(shape.begin(), shape.end(), 1.0, [](double product, int64_t size) {
                   return product * static_cast<double>(size);
                 }) <= kMostElements;
}

// `shapes` are sizes that the tensors of `what` can have.
Result<void> CheckProbeShapes(const std::vector<Shape>& shapes, const std::vector<TensorPlan>& tensors,
                              std::string_view what) {
  if (shapes.size() != tensors.size()) {
    return Fail(Code::kInvalidArgument, "'probe' has {} {}s, the model has {}", shapes.size(), what,
                tensors.size());
  }
  for (size_t i = 0; i < shapes.size(); ++i) {
    const TensorSpec& spec = tensors[i].spec;
    if (IsSizeOf(shapes[i], spec.shape) && BitsOf(spec.type) >= 8) continue;
    return Fail(Code::kInvalidArgument, "'probe': {} '{}' is {}, the model's is {} {}", what, spec.name,
                ToString(shapes[i]), DTypeName(spec.type), ToString(spec.shape));
  }
  return {};
}

Result<void> CheckProbe(const Plan& plan) {
  const Probe& probe = *plan.probe;
  TRY(CheckArtifact(probe.file, "probe"));
  TRY(CheckProbeShapes(probe.inputs, plan.inputs, "input"));
  TRY(CheckProbeShapes(probe.outputs, plan.outputs, "output"));
  if (probe.tolerances.size() != probe.outputs.size()) {
    return Fail(Code::kInvalidArgument, "'probe' has {} tolerances for {} outputs", probe.tolerances.size(),
                probe.outputs.size());
  }
  for (const double tolerance : probe.tolerances) {
    if (std::isfinite(tolerance) && tolerance >= 0) continue;
    return Fail(Code::kInvalidArgument, "'probe' has the tolerance {}, wanted a number from 0", tolerance);
  }
  const uint64_t wanted = ProbeBytes(plan, probe).value();
  if (probe.file.bytes.value() == wanted) return {};
  return Fail(Code::kInvalidArgument, "'probe': '{}' has {} bytes, its tensors {}", probe.file.file,
              probe.file.bytes.value(), wanted);
}

}  // namespace

Result<void> Validate(const Plan& plan) {
  TRY(CheckMesh(plan));
  TRY(CheckArtifacts(plan));
  TRY(CheckTensors(plan.inputs, "input", plan));
  TRY(CheckTensors(plan.outputs, "output", plan));
  TRY(CheckCollectives(plan));
  if (plan.build) TRY(CheckBuild(plan));
  if (plan.probe) TRY(CheckProbe(plan));
  if (plan.engine.empty())
    return Fail(Code::kInvalidArgument, "'engine' is empty, wanted openvino or tensorrt");
  if (plan.strategy.empty()) return Fail(Code::kInvalidArgument, "'strategy' is empty");
  if (!std::isfinite(plan.predicted_us) || plan.predicted_us < 0) {
    return Fail(Code::kInvalidArgument, "'predicted_us' is {}, wanted a number from 0", plan.predicted_us);
  }
  return {};
}

}  // namespace tessera::plan
