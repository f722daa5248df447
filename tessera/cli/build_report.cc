#include "tessera/cli/build_report.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "tessera/cli/batch_note.h"
#include "tessera/cli/text.h"
#include "tessera/graph/half.h"

namespace tessera::cli {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

double Loosest(const plan::Probe& probe) {
  double loosest = 0;
  for (const double tolerance : probe.tolerances) loosest = std::max(loosest, tolerance);
  return loosest;
}

std::string ProbeText(const plan::Plan& plan) {
  if (!plan.probe) return "none";
  return fmt::format("answered by {}, compared at every load (tolerance {:g})",
                     plan.probe->reference == "model" ? "the whole model" : "the ranks' ONNX files",
                     Loosest(*plan.probe));
}

std::string PrecisionText(const BuiltModel& built) {
  if (!built.half) return "the model's";
  const graph::HalfReport& report = built.half->report;
  return fmt::format("{}; {} of {} operators go on in FP32, {} elements of constants were clamped",
                     DTypeName(built.plan.build->half), report.nodes_in_full,
                     report.nodes_in_full + report.nodes_in_half, report.clamped);
}

// Of REPO/NAME/1; or the directory itself where it was given.
fs::path ModelDirectoryOf(const fs::path& version) {
  return version.has_parent_path() ? version.parent_path() : version;
}

void PrintWarnings(const BuiltModel& built) {
  for (const std::string& warning : built.warnings) fmt::print(stderr, "tessera: {}\n", warning);
}

}  // namespace

void PrintText(const BuiltModel& built) {
  PrintWarnings(built);
  const plan::Plan& plan = built.plan;
  Table table({"rank", "engine", "size"});
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    const plan::Artifact& engine = plan.ranks[r].model;
    table.Add({fmt::format("{}", r), engine.file, FormatBytes(engine.bytes)});
  }
  const std::string capabilities = fmt::to_string(fmt::join(plan.build->compute_capabilities, ", "));
  fmt::print("{}: {} engine{} by {} {} for compute capability {} in {}\n\n{}\n", plan.model_name,
             plan.ranks.size(), plan.ranks.size() == 1 ? "" : "s", plan.build->library, plan.build->version,
             capabilities, FormatMicroseconds(built.seconds * 1e6), table.ToString());
  fmt::print("  collectives  {} as planned, counted in the {}\n", plan.collectives.size(),
             built.layers_listed ? "engines" : "parsed models (this library lists no layers)");
  fmt::print("  precision    {}\n  probe        {}\n  written to   {}\n", PrecisionText(built),
             ProbeText(plan), built.version.string());
  if (const std::string note = BatchNote(plan, built.version); !note.empty()) {
    fmt::print("  note         {}\n", note);
  }
  fmt::print("\nNext, where the GPUs are: tessera verify {} --against MODEL.onnx --tolerance {:g}\n",
             ModelDirectoryOf(built.version).string(), plan.probe ? Loosest(*plan.probe) : 5e-3);
}

void PrintJson(const BuiltModel& built) {
  PrintWarnings(built);
  const plan::Plan& plan = built.plan;
  ordered_json ranks = ordered_json::array();
  for (size_t r = 0; r < plan.ranks.size(); ++r) {
    const plan::Artifact& engine = plan.ranks[r].model;
    ranks.push_back(
        {{"rank", r}, {"file", engine.file}, {"bytes", engine.bytes.value()}, {"sha256", engine.sha256}});
  }
  ordered_json object{{"model", plan.model_name},
                      {"library", plan.build->library},
                      {"version", plan.build->version},
                      {"compute_capabilities", plan.build->compute_capabilities},
                      {"ranks", ranks},
                      {"collectives", plan.collectives.size()},
                      {"counted_in", built.layers_listed ? "engine" : "model"},
                      {"probe", plan.probe ? ordered_json(plan.probe->reference) : ordered_json()},
                      {"seconds", built.seconds}};
  if (const std::string note = BatchNote(plan, built.version); !note.empty()) object["note"] = note;
  if (built.half) {
    const std::string name = graph::LowerName(built.plan.build->half);
    object[name] = {{"in_" + name, built.half->report.nodes_in_half},
                    {"in_fp32", built.half->report.nodes_in_full},
                    {"clamped", built.half->report.clamped}};
  }
  fmt::print("{}\n", object.dump(2));
}

}  // namespace tessera::cli
