// plan.json: what `tessera build` made of the ranks, and the recorded probe.
#include "tessera/plan/plan_json.h"

namespace tessera::plan {
namespace {

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

Result<DType> ReadHalf(const JsonField& field) {
  TRY_ASSIGN(const bool fp16, TrueAt(field, "fp16"));
  TRY_ASSIGN(const bool bf16, TrueAt(field, "bf16"));
  if (fp16 && bf16) return Fail(Code::kInvalidArgument, "'build' says both fp16 and bf16");
  return fp16 ? DType::kFloat16 : bf16 ? DType::kBFloat16 : DType::kUndefined;
}

Result<Shape> ReadShape(const JsonField& field) {
  return field.List(ReadDimension);
}

}  // namespace

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

}  // namespace tessera::plan
