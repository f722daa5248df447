// plan.json as text. Each struct has one writer and one reader, side by side.
#include <limits>
#include <nlohmann/json.hpp>

#include "tessera/plan/json_reader.h"
#include "tessera/plan/plan.h"

namespace tessera::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kFormat = "tessera-plan";
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr int64_t kMostInt = std::numeric_limits<int>::max();

template <class T, class Write>
Json List(const std::vector<T>& items, Write write) {
  Json list = Json::array();
  for (const T& item : items) list.push_back(write(item));
  return list;
}

Result<std::string> StringAt(const JsonField& field, std::string_view name) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.String();
}

Result<int64_t> IntAt(const JsonField& field, std::string_view name, int64_t least, int64_t most) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.Int(least, most);
}

Result<ByteCount> BytesAt(const JsonField& field, std::string_view name) {
  TRY_ASSIGN(const int64_t bytes, IntAt(field, name, 0, kMost));
  return ByteCount{static_cast<uint64_t>(bytes)};
}

// The enumerator that a string names, by `from_name`; `wanted` lists them in the error.
template <class FromName>
auto NamedAt(const JsonField& field, std::string_view name, FromName from_name, std::string_view wanted)
    -> Result<typename decltype(from_name(std::string_view()))::value_type> {
  TRY_ASSIGN(const JsonField value, field.At(name));
  TRY_ASSIGN(const std::string text, value.String());
  auto found = from_name(text);
  if (!found) return value.Unwanted(wanted);
  return *found;
}

template <class Read>
auto ListAt(const JsonField& field, std::string_view name, Read read) -> decltype(field.List(read)) {
  TRY_ASSIGN(const JsonField value, field.At(name));
  return value.List(read);
}

Result<std::string> ReadString(const JsonField& field) {
  return field.String();
}
Result<int64_t> ReadDimension(const JsonField& field) {
  return field.Int(kDynamic, kMost);
}

Json WriteAxis(const MeshAxis& axis) {
  return {{"axis", axis.name}, {"size", axis.size}};
}

Result<MeshAxis> ReadAxis(const JsonField& field) {
  TRY(field.OnlyHas({"axis", "size"}));
  MeshAxis axis;
  TRY_ASSIGN(axis.name, StringAt(field, "axis"));
  TRY_ASSIGN(const int64_t size, IntAt(field, "size", 1, kMostInt));
  axis.size = static_cast<int>(size);
  return axis;
}

Json WriteArtifact(const Artifact& artifact) {
  return {{"file", artifact.file}, {"bytes", artifact.bytes.value()}, {"sha256", artifact.sha256}};
}

Result<Artifact> ReadArtifact(const JsonField& field) {
  TRY(field.OnlyHas({"file", "bytes", "sha256"}));
  Artifact artifact;
  TRY_ASSIGN(artifact.file, StringAt(field, "file"));
  TRY_ASSIGN(artifact.bytes, BytesAt(field, "bytes"));
  TRY_ASSIGN(artifact.sha256, StringAt(field, "sha256"));
  return artifact;
}

Json WriteRank(const RankPlan& rank) {
  return {{"model", WriteArtifact(rank.model)},
          {"weights", List(rank.weights, WriteArtifact)},
          {"weight_bytes", rank.weight_bytes.value()}};
}

Result<RankPlan> ReadRank(const JsonField& field) {
  TRY(field.OnlyHas({"model", "weights", "weight_bytes"}));
  RankPlan rank;
  TRY_ASSIGN(const JsonField model, field.At("model"));
  TRY_ASSIGN(rank.model, ReadArtifact(model));
  TRY_ASSIGN(rank.weights, ListAt(field, "weights", ReadArtifact));
  TRY_ASSIGN(rank.weight_bytes, BytesAt(field, "weight_bytes"));
  return rank;
}

Json WriteLayout(const Layout& layout) {
  switch (layout.kind) {
    case Layout::Kind::kSplit:
      return {{"kind", "split"}, {"axis", layout.axis}};
    case Layout::Kind::kRank:
      return {{"kind", "rank"}, {"rank", layout.rank.value()}};
    case Layout::Kind::kReplicated:
      break;
  }
  return {{"kind", "replicated"}};
}

Result<Layout> ReadLayout(const JsonField& field) {
  TRY_ASSIGN(const std::string kind, StringAt(field, "kind"));
  if (kind == "replicated") {
    TRY(field.OnlyHas({"kind"}));
    return Layout{};
  }
  if (kind == "split") {
    TRY(field.OnlyHas({"kind", "axis"}));
    TRY_ASSIGN(const int64_t axis, IntAt(field, "axis", 0, kMostInt));
    return Layout{Layout::Kind::kSplit, static_cast<int>(axis), Rank{0}};
  }
  if (kind == "rank") {
    TRY(field.OnlyHas({"kind", "rank"}));
    TRY_ASSIGN(const int64_t rank, IntAt(field, "rank", 0, kMostInt));
    return Layout{Layout::Kind::kRank, 0, Rank{static_cast<int>(rank)}};
  }
  TRY_ASSIGN(const JsonField got, field.At("kind"));
  return got.Unwanted("replicated, split or rank");
}

Result<int64_t> ReadMultiple(const JsonField& field) {
  return field.Int(1, kMostInt);
}

Json WriteTensor(const TensorPlan& tensor) {
  Json written{{"name", tensor.spec.name},
               {"type", DTypeName(tensor.spec.type)},
               {"shape", tensor.spec.shape},
               {"dims", tensor.dim_names},
               {"layout", WriteLayout(tensor.layout)}};
  if (!tensor.multiples.empty()) written["multiples"] = tensor.multiples;
  if (tensor.index_bound > 0) written["below"] = tensor.index_bound;
  return written;
}

Result<TensorPlan> ReadTensor(const JsonField& field) {
  TRY(field.OnlyHas({"name", "type", "shape", "dims", "layout", "multiples", "below"}));
  TensorPlan tensor;
  TRY_ASSIGN(tensor.spec.name, StringAt(field, "name"));
  TRY_ASSIGN(tensor.spec.type, NamedAt(field, "type", DTypeFromName, "a type such as FP32 or INT64"));
  TRY_ASSIGN(tensor.spec.shape, ListAt(field, "shape", ReadDimension));
  TRY_ASSIGN(tensor.dim_names, ListAt(field, "dims", ReadString));
  TRY_ASSIGN(const JsonField layout, field.At("layout"));
  TRY_ASSIGN(tensor.layout, ReadLayout(layout));
  if (field.Has("multiples")) {
    TRY_ASSIGN(tensor.multiples, ListAt(field, "multiples", ReadMultiple));
  }
  if (field.Has("below")) {
    TRY_ASSIGN(tensor.index_bound, IntAt(field, "below", 1, kMost));
  }
  return tensor;
}

Json WriteCollective(const CollectivePlan& collective) {
  return {{"name", collective.name},
          {"op", Name(collective.op)},
          {"reduce", Name(collective.reduce)},
          {"axis", collective.axis},
          {"type", DTypeName(collective.type)},
          {"shape", collective.shape},
          {"bytes", collective.bytes.value()}};
}

Result<CollectivePlan> ReadCollective(const JsonField& field) {
  TRY(field.OnlyHas({"name", "op", "reduce", "axis", "type", "shape", "bytes"}));
  CollectivePlan collective;
  TRY_ASSIGN(collective.name, StringAt(field, "name"));
  TRY_ASSIGN(collective.op, NamedAt(field, "op", CollectiveOpFromName, "a collective such as all_reduce"));
  TRY_ASSIGN(collective.reduce,
             NamedAt(field, "reduce", ReduceOpFromName, "none, sum, prod, max, min or avg"));
  TRY_ASSIGN(collective.axis, StringAt(field, "axis"));
  TRY_ASSIGN(collective.type, NamedAt(field, "type", DTypeFromName, "a type such as FP32 or INT64"));
  TRY_ASSIGN(collective.shape, ListAt(field, "shape", ReadDimension));
  TRY_ASSIGN(collective.bytes, BytesAt(field, "bytes"));
  return collective;
}

Json WriteRange(const InputRange& range) {
  return {{"input", range.input}, {"min", range.least}, {"opt", range.usual}, {"max", range.most}};
}

Result<InputRange> ReadRange(const JsonField& field) {
  TRY(field.OnlyHas({"input", "min", "opt", "max"}));
  InputRange range;
  TRY_ASSIGN(range.input, StringAt(field, "input"));
  TRY_ASSIGN(range.least, ListAt(field, "min", ReadDimension));
  TRY_ASSIGN(range.usual, ListAt(field, "opt", ReadDimension));
  TRY_ASSIGN(range.most, ListAt(field, "max", ReadDimension));
  return range;
}

Json WriteProfile(const Profile& profile) {
  return List(profile, WriteRange);
}

Result<Profile> ReadProfile(const JsonField& field) {
  return field.List(ReadRange);
}

Json WriteSource(const RankSource& source) {
  return {{"model", WriteArtifact(source.model)}, {"weights", List(source.weights, WriteArtifact)}};
}

Result<RankSource> ReadSource(const JsonField& field) {
  TRY(field.OnlyHas({"model", "weights"}));
  RankSource source;
  TRY_ASSIGN(const JsonField model, field.At("model"));
  TRY_ASSIGN(source.model, ReadArtifact(model));
  TRY_ASSIGN(source.weights, ListAt(field, "weights", ReadArtifact));
  return source;
}

Json WriteBuild(const Build& build) {
  Json written{{"library", build.library},
               {"version", build.version},
               {"compute_capabilities", build.compute_capabilities},
               {"tf32", build.tf32},
               {"profiles", List(build.profiles, WriteProfile)},
               {"sources", List(build.sources, WriteSource)}};
  if (build.half == DType::kFloat16) written["fp16"] = true;
  if (build.half == DType::kBFloat16) written["bf16"] = true;
  return written;
}

Result<bool> TrueAt(const JsonField& field, const char* name) {
  if (!field.Has(name)) return false;
  TRY_ASSIGN(const JsonField said, field.At(name));
  return said.Bool();
}

Result<DType> ReadHalf(const JsonField& field) {
  TRY_ASSIGN(const bool fp16, TrueAt(field, "fp16"));
  TRY_ASSIGN(const bool bf16, TrueAt(field, "bf16"));
  if (fp16 && bf16) return Fail(Code::kInvalidArgument, "'build' says both fp16 and bf16");
  return fp16 ? DType::kFloat16 : bf16 ? DType::kBFloat16 : DType::kUndefined;
}

Result<Build> ReadBuild(const JsonField& field) {
  TRY(field.OnlyHas(
      {"library", "version", "compute_capabilities", "tf32", "fp16", "bf16", "profiles", "sources"}));
  Build build;
  TRY_ASSIGN(build.library, StringAt(field, "library"));
  TRY_ASSIGN(build.version, StringAt(field, "version"));
  TRY_ASSIGN(build.compute_capabilities, ListAt(field, "compute_capabilities", ReadString));
  TRY_ASSIGN(const JsonField tf32, field.At("tf32"));
  TRY_ASSIGN(build.tf32, tf32.Bool());
  TRY_ASSIGN(build.half, ReadHalf(field));
  TRY_ASSIGN(build.profiles, ListAt(field, "profiles", ReadProfile));
  TRY_ASSIGN(build.sources, ListAt(field, "sources", ReadSource));
  return build;
}

Result<Shape> ReadShape(const JsonField& field) {
  return field.List(ReadDimension);
}

Json WriteProbe(const Probe& probe) {
  Json outputs = Json::array();
  for (size_t i = 0; i < probe.outputs.size(); ++i)
    outputs.push_back({{"shape", probe.outputs[i]}, {"tolerance", probe.tolerances[i]}});
  return {{"file", WriteArtifact(probe.file)},
          {"reference", probe.reference},
          {"inputs", probe.inputs},
          {"outputs", outputs}};
}

Result<Probe> ReadProbe(const JsonField& field) {
  TRY(field.OnlyHas({"file", "reference", "inputs", "outputs"}));
  Probe probe;
  TRY_ASSIGN(const JsonField file, field.At("file"));
  TRY_ASSIGN(probe.file, ReadArtifact(file));
  TRY_ASSIGN(probe.reference, StringAt(field, "reference"));
  TRY_ASSIGN(probe.inputs, ListAt(field, "inputs", ReadShape));
  const auto read_output = [&](const JsonField& output) -> Result<Shape> {
    TRY(output.OnlyHas({"shape", "tolerance"}));
    TRY_ASSIGN(const JsonField tolerance, output.At("tolerance"));
    TRY_ASSIGN(const double number, tolerance.Number());
    probe.tolerances.push_back(number);
    return ListAt(output, "shape", ReadDimension);
  };
  TRY_ASSIGN(probe.outputs, ListAt(field, "outputs", read_output));
  return probe;
}

Result<Plan> ReadDocument(const JsonField& field) {
  TRY(field.CheckFormat(kFormat, kPlanVersion, "plan"));
  TRY(field.OnlyHas({"format", "version", "model_name", "source_sha256", "strategy", "engine", "mesh",
                     "ranks", "inputs", "outputs", "collectives", "predicted_us", "build", "probe"}));
  Plan plan;
  TRY_ASSIGN(plan.model_name, StringAt(field, "model_name"));
  TRY_ASSIGN(plan.source_sha256, StringAt(field, "source_sha256"));
  TRY_ASSIGN(plan.strategy, StringAt(field, "strategy"));
  TRY_ASSIGN(plan.engine, StringAt(field, "engine"));
  TRY_ASSIGN(plan.mesh, ListAt(field, "mesh", ReadAxis));
  TRY_ASSIGN(plan.ranks, ListAt(field, "ranks", ReadRank));
  TRY_ASSIGN(plan.inputs, ListAt(field, "inputs", ReadTensor));
  TRY_ASSIGN(plan.outputs, ListAt(field, "outputs", ReadTensor));
  TRY_ASSIGN(plan.collectives, ListAt(field, "collectives", ReadCollective));
  TRY_ASSIGN(const JsonField predicted, field.At("predicted_us"));
  TRY_ASSIGN(plan.predicted_us, predicted.Number());
  if (field.Has("build")) {
    TRY_ASSIGN(const JsonField build, field.At("build"));
    TRY_ASSIGN(plan.build, ReadBuild(build));
  }
  if (field.Has("probe")) {
    TRY_ASSIGN(const JsonField probe, field.At("probe"));
    TRY_ASSIGN(plan.probe, ReadProbe(probe));
  }
  TRY(Validate(plan));
  return plan;
}

}  // namespace

std::string ToJson(const Plan& plan) {
  Json document{{"format", kFormat},
                {"version", kPlanVersion},
                {"model_name", plan.model_name},
                {"source_sha256", plan.source_sha256},
                {"strategy", plan.strategy},
                {"engine", plan.engine},
                {"mesh", List(plan.mesh, WriteAxis)},
                {"ranks", List(plan.ranks, WriteRank)},
                {"inputs", List(plan.inputs, WriteTensor)},
                {"outputs", List(plan.outputs, WriteTensor)},
                {"collectives", List(plan.collectives, WriteCollective)},
                {"predicted_us", plan.predicted_us}};
  if (plan.build) document["build"] = WriteBuild(*plan.build);
  if (plan.probe) document["probe"] = WriteProbe(*plan.probe);
  // Bytes that are not UTF-8 become U+FFFD here; WritePlan refuses such a plan.
  return document.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Plan> FromJson(std::string_view text) {
  return ReadJson(text, ReadDocument);
}

}  // namespace tessera::plan
