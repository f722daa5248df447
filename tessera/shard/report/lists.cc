// The sections that list what a plan is made of.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "tessera/base/format.h"
#include "tessera/shard/report/html.h"
#include "tessera/shard/report/sections.h"
#include "tessera/shard/report/table.h"

namespace tessera::shard::report {
namespace {

constexpr size_t kMostRows = 200;    // of a list of collectives or blocks
constexpr size_t kMostWeights = 15;  // the largest ones
constexpr size_t kMostOps = 6;       // kinds of ops named for a block

const std::string& NameInModel(const graph::Graph& model, const RankModel& ranks, graph::ValueId id) {
  const auto origin = ranks.origin.find(id);
  return origin == ranks.origin.end() ? ranks.graph.value(id).name : model.value(origin->second.first).name;
}

std::string LayoutOf(const plan::TensorPlan& tensor) {
  std::string text = tensor.layout.kind == plan::Layout::Kind::kSplit
                         ? fmt::format("split on axis {}", tensor.layout.axis)
                     : tensor.layout.kind == plan::Layout::Kind::kRank
                         ? fmt::format("on rank {}", tensor.layout.rank.value())
                         : "replicated";
  for (size_t d = 0; d < tensor.multiples.size(); ++d) {
    if (tensor.multiples[d] > 1)
      text += fmt::format("; dimension {} a multiple of {}", d, tensor.multiples[d]);
  }
  return text;
}

}  // namespace

std::string Interface(const plan::Plan& plan) {
  HtmlTable table({"", "name", "type", "shape", "over the ranks"});
  const auto add = [&](const char* what, const std::vector<plan::TensorPlan>& tensors) {
    for (size_t i = 0; i < tensors.size() && i < kMostRows; ++i) {
      table.Add({what, "<code>" + Shortened(tensors[i].spec.name, 60) + "</code>",
                 std::string(DTypeName(tensors[i].spec.type)), Escape(ToString(tensors[i].spec.shape)),
                 LayoutOf(tensors[i])});
    }
    if (tensors.size() > kMostRows)
      table.Add({what, fmt::format("and {} more", Thousands(tensors.size() - kMostRows)), "", "", ""},
                "muted");
  };
  add("input", plan.inputs);
  add("output", plan.outputs);
  return table.ToString();
}

std::string Collectives(const Outcome& outcome) {
  const auto& all = outcome.plan.collectives;
  if (all.empty()) return "<p>None: no rank waits for another one.</p>\n";
  struct Kind {
    size_t count = 0;
    uint64_t bytes = 0;
    double us = 0;
  };
  std::map<std::string, Kind> kinds;
  HtmlTable list({"#", "collective", "node", "sends", "#bytes", "#predicted"});
  const auto name_of = [](const plan::CollectivePlan& c) {
    return Reduces(c.op) ? fmt::format("{}({})", Name(c.op), Name(c.reduce)) : std::string(Name(c.op));
  };
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& c = all[i];
    const std::string name = name_of(c) + " over " + Escape(c.axis);
    Kind& kind = kinds[name];
    ++kind.count;
    kind.bytes += c.bytes.value();
    kind.us += outcome.collective_us[i];
    if (i >= kMostRows) continue;
    list.Add({fmt::format("{}", i + 1), name, "<code>" + Shortened(c.name, 60) + "</code>",
              fmt::format("{} {}", DTypeName(c.type), Escape(ToString(c.shape))), FormatBytes(c.bytes),
              FormatMicroseconds(outcome.collective_us[i])});
  }
  HtmlTable table({"#times", "collective", "#bytes a rank sends", "#predicted"});
  for (const auto& [name, kind] : kinds)
    table.Add({Thousands(kind.count), name, FormatBytes(ByteCount{kind.bytes}), FormatMicroseconds(kind.us)});
  const std::string rest =
      all.size() <= kMostRows
          ? ""
          : fmt::format("<p>The first {} of {}; plan.json has all.</p>", kMostRows, Thousands(all.size()));
  return table.ToString() + "<details><summary>One by one, in the order of a step</summary>" +
         list.ToString() + rest + "</details>\n";
}

std::string Weights(const graph::Graph& model, const RankModel& ranks) {
  std::vector<std::pair<graph::ValueId, const RankConstant*>> largest;
  for (const auto& [id, constant] : ranks.constants) {
    if (constant.whole && !constant.whole->bytes.empty()) largest.emplace_back(id, &constant);
  }
  std::stable_sort(largest.begin(), largest.end(), [](const auto& a, const auto& b) {
    return a.second->whole->bytes.size() > b.second->whole->bytes.size();
  });
  HtmlTable table({"weight", "type", "shape", "#whole", "state", "#on a rank"});
  for (size_t i = 0; i < largest.size() && i < kMostWeights; ++i) {
    const auto& [id, constant] = largest[i];
    const uint64_t whole = constant->whole->bytes.size();
    const uint64_t held = whole / static_cast<uint64_t>(Pieces(constant->state, ranks.parts));
    table.Add({"<code>" + Shortened(NameInModel(model, ranks, id), 60) + "</code>",
               std::string(DTypeName(constant->whole->type)), Escape(ToString(constant->whole->shape)),
               FormatBytes(ByteCount{whole}),
               fmt::format("<span class=\"chip {}\">{}</span>", static_cast<char>(LookOf(constant->state)),
                           Escape(constant->state.ToString())),
               FormatBytes(ByteCount{held})});
  }
  const std::string rest = largest.size() <= kMostWeights
                               ? ""
                               : fmt::format("<p class=\"muted\">The {} largest of {}.</p>\n", kMostWeights,
                                             Thousands(largest.size()));
  return table.ToString() + rest;
}

std::string Blocks(const std::vector<NodeView>& views, const std::vector<Segment>& blocks) {
  HtmlTable table({"#times", "#nodes", "first node", "ops", "states", "#weights a rank"});
  for (size_t b = 0; b < blocks.size() && b < kMostRows; ++b) {
    const Segment& block = blocks[b];
    std::map<std::string, size_t> ops;
    std::map<Look, size_t> looks;
    uint64_t bytes = 0;
    for (size_t n = block.first; n < block.end(); ++n) bytes += views[n].weight_bytes;
    for (size_t n = block.first; n < block.first + block.period; ++n) {
      ++ops[views[n].op];
      ++looks[views[n].look];
    }
    std::vector<std::pair<std::string, size_t>> common(ops.begin(), ops.end());
    std::stable_sort(common.begin(), common.end(),
                     [](const auto& x, const auto& y) { return x.second > y.second; });
    std::string named;
    for (size_t i = 0; i < common.size() && i < kMostOps; ++i)
      named += fmt::format("{}{} {}", i == 0 ? "" : ", ", common[i].second, Shortened(common[i].first, 24));
    if (common.size() > kMostOps) named += ", ..";
    static constexpr std::array<std::pair<Look, const char*>, 5> kNames{{{Look::kSplit, "split"},
                                                                         {Look::kPartial, "partial"},
                                                                         {Look::kReplicated, "replicated"},
                                                                         {Look::kCollective, "collectives"},
                                                                         {Look::kInside, "conversions"}}};
    std::vector<BarPart> parts;
    for (const auto& [look, name] : kNames)
      parts.push_back({std::string(1, static_cast<char>(look)), static_cast<double>(looks[look]),
                       fmt::format("{}: {}", name, looks[look])});
    table.Add({Thousands(block.count), Thousands(block.period),
               "<code>" + Shortened(views[block.first].name, 40) + "</code>", named,
               Bar(parts, static_cast<double>(block.period)), FormatBytes(ByteCount{bytes})});
  }
  return table.ToString();
}

}  // namespace tessera::shard::report
