#include "tessera/shard/report/sections.h"

#include <fmt/format.h>

#include <algorithm>

#include "tessera/base/format.h"
#include "tessera/shard/report/html.h"
#include "tessera/shard/report/table.h"

namespace tessera::shard::report {
namespace {

constexpr double kWorthwhile = 0.99;  // of the time, before another plan is taken: see compile.cc

const Alternative* OneRank(const Outcome& outcome) {
  for (const Alternative& a : outcome.alternatives) {
    if (a.strategy == "single" && a.refused.empty()) return &a;
  }
  return nullptr;
}

uint64_t LargestRank(const plan::Plan& plan) {
  uint64_t largest = 0;
  for (const plan::RankPlan& rank : plan.ranks) largest = std::max(largest, rank.weight_bytes.value());
  return largest;
}

std::string Tile(const std::string& label, const std::string& figure, const std::string& note) {
  return fmt::format("<div class=\"tile\"><h3>{}</h3><b>{}</b><p>{}</p></div>\n", label, figure, note);
}

std::string TimeTile(const Outcome& outcome) {
  std::string note = "at nominal sizes";
  const Alternative* single = OneRank(outcome);
  if (single != nullptr && outcome.plan.world_size() > 1) {
    const double gain = single->predicted_us / std::max(1e-9, outcome.plan.predicted_us);
    note = fmt::format("{:.2f} times as {} as one rank's {}", gain >= 1 ? gain : 1 / gain,
                       gain >= 1 ? "fast" : "slow", FormatMicroseconds(single->predicted_us));
  }
  return Tile("Predicted step", FormatMicroseconds(outcome.plan.predicted_us), note);
}

std::string CollectiveTile(const Outcome& outcome) {
  uint64_t bytes = 0;
  for (const auto& c : outcome.plan.collectives) bytes += c.bytes.value();
  const double share = outcome.taken.time.collectives_us / std::max(1e-9, outcome.taken.time.sum());
  return Tile(
      "Collectives a step", Thousands(outcome.plan.collectives.size()),
      fmt::format("{} sent by a rank, {} of the time", FormatBytes(ByteCount{bytes}), FormatPercent(share)));
}

std::string SearchTile(const SearchQuality& search) {
  if (search.exact) return Tile("Search", "exact", "no plan of this strategy costs less");
  return Tile("Search", "bounded",
              fmt::format("too wide to be exact: at most {} of the cost could be saved",
                          FormatPercent(search.cost <= 0 ? 0 : 1 - search.lower_bound / search.cost)));
}

// What a step spends its time on, as parts of a bar.
std::vector<BarPart> TimeParts(const StepTime& time) {
  const auto part = [](const char* kind, const char* what, double us) {
    return BarPart{kind, us, fmt::format("{}: {}", what, FormatMicroseconds(us))};
  };
  return {part("t-output", "starting the step", time.step_us),
          part("t-compute", "computing", time.compute_us),
          part("t-collective", "collectives", time.collectives_us),
          part("t-slice", "taking pieces", time.slices_us),
          part("t-output", "putting outputs together", time.outputs_us)};
}

std::string WhyNot(const Alternative& a, const Outcome& outcome) {
  if (!a.refused.empty()) return Escape(a.refused);
  if (a.strategy == outcome.taken.strategy) return "taken";
  const double ratio = a.predicted_us / std::max(1e-9, outcome.taken.predicted_us);
  if (ratio < kWorthwhile) return fmt::format("holds more than allowed ({:.2f} of the time)", ratio);
  if (ratio < 1) return "hardly faster, not simpler";
  if (ratio < 1.0005) return "as fast, not simpler";
  return fmt::format("{:.2f} times as slow", ratio);
}

struct Extent {
  double time = 0;
  double bytes = 0;
};

Extent Largest(const std::vector<Alternative>& prices) {
  Extent extent;
  for (const Alternative& a : prices) {
    extent.time = std::max(extent.time, a.predicted_us);
    extent.bytes = std::max(extent.bytes, static_cast<double>(a.rank_weight_bytes.value()));
  }
  return extent;
}

bool SamePlan(const Alternative& a, const Alternative& b) {
  return a.rank_weight_bytes == b.rank_weight_bytes && std::abs(a.predicted_us - b.predicted_us) < 1e-3;
}

// A plot of the list: a dot a plan, the taken one filled.
std::string Scatter(const Outcome& outcome) {
  const Extent most = Largest(outcome.pareto);
  constexpr double kWidth = 460;
  constexpr double kHeight = 190;
  const auto x = [&](const Alternative& a) { return 60 + 380 * a.predicted_us / most.time; };
  const auto y = [&](const Alternative& a) {
    return kHeight - 34 - 140 * static_cast<double>(a.rank_weight_bytes.value()) / std::max(1.0, most.bytes);
  };
  std::string line;
  std::string dots;
  for (const Alternative& a : outcome.pareto) {
    line += fmt::format("{}{:.1f} {:.1f}", line.empty() ? "M" : "L", x(a), y(a));
    dots += fmt::format(
        "<circle class=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"5\"><title>{}: {}, {} a rank</title></circle>",
        SamePlan(a, outcome.taken) ? "taken" : "dot", x(a), y(a), Escape(a.strategy),
        FormatMicroseconds(a.predicted_us), FormatBytes(a.rank_weight_bytes));
  }
  return fmt::format(
      "<svg class=\"plot\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
      "aria-label=\"Time against "
      "memory\"><path class=\"axis\" d=\"M60 8V{2}H450\"/><text x=\"255\" y=\"{3}\" "
      "text-anchor=\"middle\">time of a "
      "step, to {4}</text><text transform=\"translate(46 80) rotate(-90)\" text-anchor=\"middle\">weights, "
      "to "
      "{5}</text><path class=\"line\" d=\"{6}\"/>{7}</svg>\n",
      kWidth, kHeight, kHeight - 34, kHeight - 12, FormatMicroseconds(most.time),
      FormatBytes(ByteCount{static_cast<uint64_t>(most.bytes)}), line, dots);
}

}  // namespace

std::string Tiles(const Outcome& outcome) {
  const uint64_t rank = LargestRank(outcome.plan);
  const double share =
      static_cast<double>(rank) / static_cast<double>(std::max<uint64_t>(1, outcome.weight_bytes.value()));
  return TimeTile(outcome) +
         Tile("Weights a rank", FormatBytes(ByteCount{rank}),
              fmt::format("{} of the model's {}", FormatPercent(share), FormatBytes(outcome.weight_bytes))) +
         CollectiveTile(outcome) + SearchTile(outcome.taken.search);
}

std::string Alternatives(const Outcome& outcome) {
  const Extent most = Largest(outcome.alternatives);
  HtmlTable table({"strategy", "#time of a step", "", "#weights a rank", "", "outcome"});
  for (const Alternative& a : outcome.alternatives) {
    const bool taken = a.strategy == outcome.taken.strategy;
    const std::string name = a.strategy == "single" ? "one rank" : Escape(a.strategy);
    if (!a.refused.empty()) {
      table.Add({name, "", "", "", "", WhyNot(a, outcome)}, "refused");
      continue;
    }
    const auto bytes = static_cast<double>(a.rank_weight_bytes.value());
    table.Add(
        {name, FormatMicroseconds(a.predicted_us), Bar(TimeParts(a.time), most.time),
         FormatBytes(a.rank_weight_bytes), Bar({{"t-weights", bytes, ""}}, most.bytes), WhyNot(a, outcome)},
        taken ? "taken" : "");
  }
  return table.ToString();
}

std::string Pareto(const Outcome& outcome) {
  HtmlTable table({"strategy", "#time of a step", "#weights a rank", ""});
  for (const Alternative& a : outcome.pareto) {
    const bool taken = SamePlan(a, outcome.taken);
    table.Add({a.strategy == "single" ? "one rank" : Escape(a.strategy), FormatMicroseconds(a.predicted_us),
               FormatBytes(a.rank_weight_bytes), taken ? "taken" : ""},
              taken ? "taken" : "");
  }
  return (outcome.pareto.size() > 1 ? Scatter(outcome) : "") + table.ToString();
}

std::string Ranks(const RankModel& ranks, const Outcome& outcome) {
  double replicated = 0;
  for (const auto& [id, constant] : ranks.constants) {
    if (constant.shared() && constant.whole) replicated += static_cast<double>(constant.whole->bytes.size());
  }
  const auto whole = static_cast<double>(outcome.weight_bytes.value());
  const Alternative* single = OneRank(outcome);
  const double longest = std::max(outcome.taken.time.sum(), single != nullptr ? single->predicted_us : 0);
  HtmlTable table({"rank", "#weights", "", "#step", ""});
  for (size_t r = 0; r < outcome.plan.ranks.size(); ++r) {
    const auto held = static_cast<double>(outcome.plan.ranks[r].weight_bytes.value());
    const auto bytes = [](double count) { return FormatBytes(ByteCount{static_cast<uint64_t>(count)}); };
    table.Add({fmt::format("{}", r), FormatBytes(outcome.plan.ranks[r].weight_bytes),
               Bar({{"m-split", held - replicated, "its own: " + bytes(held - replicated)},
                    {"m-whole", replicated, "on every rank: " + bytes(replicated)}},
                   std::max(whole, held)),
               FormatMicroseconds(outcome.taken.time.sum()), Bar(TimeParts(outcome.taken.time), longest)});
  }
  if (single != nullptr && outcome.plan.world_size() > 1) {
    table.Add({"one rank alone", FormatBytes(outcome.weight_bytes),
               Bar({{"m-whole", whole, "the whole model"}}, whole), FormatMicroseconds(single->predicted_us),
               Bar(TimeParts(single->time), longest)},
              "muted");
  }
  return table.ToString();
}

}  // namespace tessera::shard::report
