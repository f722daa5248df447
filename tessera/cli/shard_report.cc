#include "tessera/cli/shard_report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "tessera/cli/text.h"

namespace tessera::cli {
namespace {

using nlohmann::ordered_json;

uint64_t LargestRank(const plan::Plan& plan) {
  uint64_t largest = 0;
  for (const plan::RankPlan& rank : plan.ranks) largest = std::max(largest, rank.weight_bytes.value());
  return largest;
}

// Of N ranks that hold W bytes in all, R replicated and the rest once: sum = W + (N - 1) R.
uint64_t ReplicatedBytes(const plan::Plan& plan, uint64_t whole) {
  uint64_t sum = 0;
  for (const plan::RankPlan& rank : plan.ranks) sum += rank.weight_bytes.value();
  if (plan.world_size() < 2 || sum <= whole) return 0;
  return std::min(whole, (sum - whole) / static_cast<uint64_t>(plan.world_size() - 1));
}

std::string WeightLines(const shard::Outcome& outcome) {
  const uint64_t whole = outcome.weight_bytes.value();
  const uint64_t rank = LargestRank(outcome.plan);
  const uint64_t replicated = ReplicatedBytes(outcome.plan, whole);
  const double share = whole == 0 ? 1 : static_cast<double>(rank) / static_cast<double>(whole);
  return fmt::format("  weights      {} a rank, {} of the whole model's {}\n", FormatBytes(ByteCount{rank}),
                     FormatPercent(share), FormatBytes(outcome.weight_bytes)) +
         fmt::format("               {} split over the ranks, {} replicated on each\n",
                     FormatBytes(ByteCount{whole - replicated}), FormatBytes(ByteCount{replicated}));
}

std::string LayoutLines(std::string_view what, const std::vector<plan::TensorPlan>& tensors) {
  std::string text;
  for (const plan::TensorPlan& tensor : tensors) {
    text += fmt::format("  {:<12} {} {} {}: {}\n", what, tensor.spec.name, DTypeName(tensor.spec.type),
                        ToString(tensor.spec.shape), LayoutText(tensor.layout));
  }
  return text;
}

// How far the plan is, at most, from the cheapest of its strategy.
double MostAbove(const shard::SearchQuality& search) {
  if (search.exact || search.cost <= search.lower_bound) return 0;
  return search.lower_bound <= 0 ? 1 : (search.cost - search.lower_bound) / search.cost;
}

std::string SearchLine(const shard::SearchQuality& search) {
  if (search.exact) return "";
  return fmt::format(
      "  search       too wide to be exact: at most {} of the plan's cost could be saved (lower bound "
      "{:.6g}, cost {:.6g})\n",
      FormatPercent(MostAbove(search)), search.lower_bound, search.cost);
}

ordered_json PriceJson(const shard::Alternative& price) {
  ordered_json json{{"strategy", price.strategy}};
  if (!price.refused.empty()) {
    json["refused"] = price.refused;
    return json;
  }
  json["predicted_us"] = price.predicted_us;
  json["rank_weight_bytes"] = price.rank_weight_bytes.value();
  return json;
}

ordered_json PricesJson(const std::vector<shard::Alternative>& prices) {
  ordered_json list = ordered_json::array();
  for (const shard::Alternative& price : prices) list.push_back(PriceJson(price));
  return list;
}

}  // namespace

std::string LayoutText(const plan::Layout& layout) {
  switch (layout.kind) {
    case plan::Layout::Kind::kReplicated:
      return "replicated";
    case plan::Layout::Kind::kSplit:
      return fmt::format("split on axis {}", layout.axis);
    case plan::Layout::Kind::kRank:
      return fmt::format("on rank {}", layout.rank.value());
  }
  return "unknown";
}

std::string CollectiveLines(const plan::Plan& plan) {
  struct Kind {
    int count = 0;
    uint64_t bytes = 0;
  };
  std::map<std::string, Kind> kinds;
  for (const plan::CollectivePlan& collective : plan.collectives) {
    std::string name(Name(collective.op));
    if (Reduces(collective.op)) name += fmt::format("({})", Name(collective.reduce));
    Kind& kind = kinds[fmt::format("{} over {}", name, collective.axis)];
    ++kind.count;
    kind.bytes += collective.bytes.value();
  }
  if (kinds.empty()) return "  collectives  none\n";
  std::string text;
  for (const auto& [name, kind] : kinds) {
    text += fmt::format("  {:<12} {} x {}, {} a step\n", text.empty() ? "collectives" : "", kind.count, name,
                        FormatBytes(ByteCount{kind.bytes}));
  }
  return text;
}

std::string ShardSummary(const shard::Outcome& outcome) {
  const plan::Plan& plan = outcome.plan;
  std::string text = fmt::format("{}: {} over {} rank{}, engine {}\n", plan.model_name, plan.strategy,
                                 plan.world_size(), plan.world_size() == 1 ? "" : "s", plan.engine);
  if (!outcome.reason.empty()) text += Wrap(fmt::format("  because      {}", outcome.reason), 110, 15) + "\n";
  text += WeightLines(outcome) + CollectiveLines(plan);
  text += LayoutLines("input", plan.inputs) + LayoutLines("output", plan.outputs);
  if (plan.predicted_us > 0)
    text += fmt::format("  predicted    {} a step on '{}'\n", FormatMicroseconds(plan.predicted_us),
                        outcome.machine);
  text += SearchLine(outcome.taken.search);
  return text;
}

ordered_json ShardJson(const shard::Outcome& outcome) {
  const plan::Plan& plan = outcome.plan;
  ordered_json ranks = ordered_json::array();
  for (const plan::RankPlan& rank : plan.ranks) ranks.push_back(rank.weight_bytes.value());
  ordered_json collectives = ordered_json::array();
  for (size_t i = 0; i < plan.collectives.size(); ++i) {
    const plan::CollectivePlan& collective = plan.collectives[i];
    collectives.push_back({{"op", Name(collective.op)},
                           {"axis", collective.axis},
                           {"bytes", collective.bytes.value()},
                           {"name", collective.name},
                           {"predicted_us", outcome.collective_us.at(i)}});
  }
  return {{"model", plan.model_name},
          {"ranks", plan.world_size()},
          {"strategy", plan.strategy},
          {"weight_bytes", outcome.weight_bytes.value()},
          {"rank_weight_bytes", ranks},
          {"collectives", collectives},
          {"predicted_us", plan.predicted_us},
          {"machine", outcome.machine},
          {"reason", outcome.reason},
          {"alternatives", PricesJson(outcome.alternatives)},
          {"pareto", PricesJson(outcome.pareto)},
          {"search",
           {{"exact", outcome.taken.search.exact},
            {"cost", outcome.taken.search.cost},
            {"lower_bound", outcome.taken.search.lower_bound}}}};
}

}  // namespace tessera::cli
