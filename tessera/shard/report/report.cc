#include "tessera/shard/report/report.h"

#include <fmt/format.h>

#include "tessera/base/file.h"
#include "tessera/shard/report/html.h"
#include "tessera/shard/report/page.h"
#include "tessera/shard/report/picture.h"
#include "tessera/shard/report/sections.h"

namespace tessera::shard::report {
namespace {

std::string Subtitle(const plan::Plan& plan) {
  std::string mesh;
  for (const plan::MeshAxis& axis : plan.mesh)
    mesh += fmt::format("{}{} = {}", mesh.empty() ? "" : ", ", Escape(axis.name), axis.size);
  return fmt::format("{} over {} rank{} ({}), engine {}", Escape(plan.strategy), plan.world_size(),
                     plan.world_size() == 1 ? "" : "s", mesh, Escape(plan.engine));
}

std::string PictureNote(const Picture& picture, size_t nodes) {
  std::string note =
      fmt::format("{} nodes run on every rank; {} are drawn", Thousands(nodes), Thousands(picture.drawn));
  if (picture.drawn + picture.left_out < nodes) note += ", repeated blocks once";
  if (picture.left_out > 0)
    note += fmt::format("; {} are in blocks too large to draw: they are in the list of blocks only",
                        Thousands(picture.left_out));
  return note + ".";
}

}  // namespace

std::string ReportPage(const graph::Graph& model, const RankModel& ranks, const Outcome& outcome) {
  const std::vector<NodeView> views = ViewsOf(model, ranks);
  const Sources sources = SourcesOf(ranks.graph);
  const std::vector<Segment> blocks = BlocksOf(ranks.graph, views, sources);
  const Picture picture = Draw(ranks, views, outcome.collective_us, sources, blocks);
  return FillIn(kPage, {{"name", Escape(outcome.plan.model_name)},
                        {"subtitle", Subtitle(outcome.plan)},
                        {"machine", Escape(outcome.machine)},
                        {"reason", Escape(outcome.reason)},
                        {"sha", Escape(outcome.plan.source_sha256)},
                        {"tiles", Tiles(outcome)},
                        {"alternatives", Alternatives(outcome)},
                        {"pareto", Pareto(outcome)},
                        {"ranks", Ranks(ranks, outcome)},
                        {"interface", Interface(outcome.plan)},
                        {"collectives", Collectives(outcome)},
                        {"weights", Weights(model, ranks)},
                        {"blocks", Blocks(views, blocks)},
                        {"picture", picture.svg},
                        {"picture-note", PictureNote(picture, views.size())}});
}

Result<void> WriteReport(const graph::Graph& model, const RankModel& ranks, const Outcome& outcome,
                         const std::filesystem::path& directory) {
  return WriteFileAtomically(directory / kReportFile, ReportPage(model, ranks, outcome));
}

}  // namespace tessera::shard::report
