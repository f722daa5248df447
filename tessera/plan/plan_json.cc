// plan.json as text. Each struct has one writer and one reader, side by side.
#include "tessera/plan/plan_json.h"

namespace tessera::plan {
namespace {

constexpr const char* kFormat = "tessera-plan";

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
