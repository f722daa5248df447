#include "tessera/cli/inspect.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tessera/cli/shard_report.h"
#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

using nlohmann::ordered_json;

// All files that the rank opens; one that serves several ranks counts for each.
uint64_t DiskBytes(const plan::RankPlan& rank) {
  uint64_t bytes = rank.model.bytes.value();
  for (const plan::Artifact& file : rank.weights) bytes += file.bytes.value();
  return bytes;
}

std::string MeshText(const plan::Plan& plan) {
  std::vector<std::string> axes;
  for (const plan::MeshAxis& axis : plan.mesh) axes.push_back(fmt::format("{} = {}", axis.name, axis.size));
  return fmt::format("{}", fmt::join(axes, ", "));
}

std::string BuildLine(const plan::Build& build) {
  return fmt::format("  built        by {} {} for compute capability {}, {} profile{}, {}\n", build.library,
                     build.version, fmt::join(build.compute_capabilities, ", "), build.profiles.size(),
                     build.profiles.size() == 1 ? "" : "s", build.tf32 ? "TF32 allowed" : "no TF32");
}

ordered_json BuildJson(const plan::Build& build) {
  return {{"library", build.library},
          {"version", build.version},
          {"compute_capabilities", build.compute_capabilities},
          {"tf32", build.tf32},
          {"profiles", build.profiles.size()}};
}

std::string RankTable(const plan::Plan& plan) {
  Table table({"rank", "weights", "files", "model file"});
  for (size_t i = 0; i < plan.ranks.size(); ++i) {
    const plan::RankPlan& rank = plan.ranks[i];
    table.Add({fmt::format("{}", i), FormatBytes(rank.weight_bytes), FormatBytes(ByteCount{DiskBytes(rank)}),
               rank.model.file});
  }
  return table.ToString();
}

std::string CollectiveTable(const plan::Plan& plan) {
  Table table({"collective", "op", "reduction", "axis", "type", "shape", "bytes"});
  for (const plan::CollectivePlan& c : plan.collectives) {
    table.Add({c.name, std::string(Name(c.op)), std::string(Name(c.reduce)), c.axis,
               std::string(DTypeName(c.type)), ToString(c.shape), FormatBytes(c.bytes)});
  }
  return table.ToString();
}

void AddTensors(Table& table, std::string_view what, const std::vector<plan::TensorPlan>& tensors) {
  for (const plan::TensorPlan& tensor : tensors) {
    table.Add({fmt::format("{} {}", what, tensor.spec.name), std::string(DTypeName(tensor.spec.type)),
               ToString(tensor.spec.shape), LayoutText(tensor.layout)});
  }
}

ordered_json TensorsJson(const std::vector<plan::TensorPlan>& tensors) {
  ordered_json list = ordered_json::array();
  for (const plan::TensorPlan& tensor : tensors) {
    list.push_back({{"name", tensor.spec.name},
                    {"type", DTypeName(tensor.spec.type)},
                    {"shape", tensor.spec.shape},
                    {"layout", LayoutText(tensor.layout)}});
  }
  return list;
}

}  // namespace

std::string InspectText(const plan::Plan& plan) {
  std::string text =
      fmt::format("{}: {} over {} rank{} ({}), engine {}\n\n", plan.model_name, plan.strategy,
                  plan.world_size(), plan.world_size() == 1 ? "" : "s", MeshText(plan), plan.engine);
  text += RankTable(plan) + "\n";
  Table layouts({"tensor", "type", "shape", "layout"});
  AddTensors(layouts, "input", plan.inputs);
  AddTensors(layouts, "output", plan.outputs);
  text += layouts.ToString() + "\n" + CollectiveLines(plan);
  if (!plan.collectives.empty()) text += "\n" + CollectiveTable(plan);
  if (plan.build) text += "\n" + BuildLine(*plan.build);
  if (plan.predicted_us > 0)
    text += fmt::format("\n  predicted    {} a step\n", FormatMicroseconds(plan.predicted_us));
  return text;
}

ordered_json InspectJson(const plan::Plan& plan) {
  ordered_json mesh = ordered_json::array();
  for (const plan::MeshAxis& axis : plan.mesh) mesh.push_back({{"name", axis.name}, {"size", axis.size}});
  ordered_json ranks = ordered_json::array();
  for (size_t i = 0; i < plan.ranks.size(); ++i) {
    ranks.push_back({{"rank", i},
                     {"file", plan.ranks[i].model.file},
                     {"weight_bytes", plan.ranks[i].weight_bytes.value()},
                     {"disk_bytes", DiskBytes(plan.ranks[i])}});
  }
  ordered_json collectives = ordered_json::array();
  for (const plan::CollectivePlan& c : plan.collectives) {
    collectives.push_back({{"op", Name(c.op)},
                           {"reduce", Name(c.reduce)},
                           {"axis", c.axis},
                           {"type", DTypeName(c.type)},
                           {"shape", c.shape},
                           {"bytes", c.bytes.value()},
                           {"name", c.name}});
  }
  ordered_json json{{"model", plan.model_name},
                    {"engine", plan.engine},
                    {"strategy", plan.strategy},
                    {"source_sha256", plan.source_sha256},
                    {"mesh", mesh},
                    {"ranks", ranks},
                    {"collectives", collectives},
                    {"inputs", TensorsJson(plan.inputs)},
                    {"outputs", TensorsJson(plan.outputs)},
                    {"predicted_us", plan.predicted_us}};
  if (plan.build) json["build"] = BuildJson(*plan.build);
  return json;
}

}  // namespace tessera::cli
