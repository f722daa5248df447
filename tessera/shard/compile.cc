#include "tessera/shard/compile.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <set>

#include "tessera/shard/check.h"
#include "tessera/shard/draft.h"
#include "tessera/shard/rewrite.h"

namespace tessera::shard {
namespace {

using graph::Graph;

constexpr int kMostRanks = 256;
constexpr std::string_view kAuto = "auto";
// Another plan must be this much faster than a simpler one before auto takes it.
constexpr double kWorthwhile = 0.99;
// Of a sweep over memory: searches, and nodes searched in all.
constexpr int kMostSearches = 12;
constexpr size_t kMostSweptNodes = 100'000;

// "tensor+data", "tp,dp" ..: more than one strategy, each along an axis of a mesh of its own.
bool NamesSeveral(std::string_view strategy) {
  int known = 0;
  while (true) {
    const size_t end = strategy.find_first_of("+,* ");
    const std::string_view name = strategy.substr(0, end);
    if (std::ranges::none_of(AllStrategies(),
                             [&](const Strategy& s) { return s.name == name || s.axis == name; }))
      return false;
    ++known;
    if (end == std::string_view::npos) return known > 1;
    strategy.remove_prefix(end + 1);
  }
}

Result<void> CheckOptions(const Options& options) {
  if (options.ranks < 1 || options.ranks > kMostRanks) {
    return Fail(Code::kInvalidArgument, "--ranks is {}, wanted 1 to {}", options.ranks, kMostRanks);
  }
  const auto names = Strategies();
  if (NamesSeveral(options.strategy)) {
    return Fail(
        Code::kUnsupported,
        "strategy '{}' needs a mesh of several axes and collectives among some of the ranks: an engine has "
        "one communicator, of all its ranks; wanted one of: {}",
        options.strategy, fmt::format("{}", fmt::join(names, ", ")));
  }
  if (std::find(names.begin(), names.end(), options.strategy) == names.end()) {
    return Fail(Code::kInvalidArgument, "strategy '{}' is not known, wanted one of: {}", options.strategy,
                fmt::format("{}", fmt::join(names, ", ")));
  }
  const Machine::Device device = DeviceOf(options.engine);
  if (const Machine& machine = MachineOf(options); machine.device != device) {
    return Fail(Code::kInvalidArgument, "machine '{}' is a {}, engine '{}' wants the figures of a {}",
                machine.name, Name(machine.device), options.engine, Name(device));
  }
  return {};
}

const Strategy& Named(std::string_view name) {
  const auto& all = AllStrategies();
  return *std::find_if(all.begin(), all.end(), [&](const Strategy& s) { return s.name == name; });
}

bool Fits(const Alternative& price, const Options& options) {
  return options.memory_per_rank.value() == 0 || price.rank_weight_bytes <= options.memory_per_rank;
}

Result<void> CheckMemory(const Draft& draft, const Options& options) {
  if (Fits(draft.price, options)) return {};
  return Fail(Code::kUnsupported,
              "strategy '{}': a rank would hold {} bytes of weights, --memory-per-rank allows {}",
              draft.price.strategy, draft.price.rank_weight_bytes.value(), options.memory_per_rank.value());
}

// The plans between the fastest and the smallest of a draft's space.
Result<std::vector<Draft>> Swept(const Graph& graph, const Options& options, const Draft& first) {
  const size_t affordable = kMostSweptNodes / std::max<size_t>(1, graph.nodes().size());
  return SweepMemory(graph, options, first, static_cast<int>(std::min<size_t>(affordable, kMostSearches)));
}

// What nothing priced beats in both time and memory, fastest first.
std::vector<Alternative> ParetoOf(std::vector<Alternative> priced) {
  std::erase_if(priced, [](const Alternative& a) { return !a.refused.empty(); });
  std::stable_sort(priced.begin(), priced.end(), [](const Alternative& a, const Alternative& b) {
    return std::tie(a.predicted_us, a.rank_weight_bytes) < std::tie(b.predicted_us, b.rank_weight_bytes);
  });
  std::vector<Alternative> best;
  for (Alternative& a : priced) {
    if (best.empty() || a.rank_weight_bytes < best.back().rank_weight_bytes) best.push_back(std::move(a));
  }
  return best;
}

// Everything priced; the fastest that fits is taken, a simpler one when it is nearly as fast.
class Chooser {
 public:
  Chooser(const Graph& graph, const Options& options, const std::vector<Hint>& hints, Compiled& compiled)
      : graph_(graph), options_(options), hints_(hints), compiled_(compiled) {}

  Result<Draft> Run() {
    TRY_ASSIGN(best_, DraftPlan(graph_, options_, OneRank(), 1));
    compiled_.alternatives.push_back(best_.price);
    fits_ = Fits(best_.price, options_) && hints_.empty();  // else it is the others' measure only
    std::vector<Alternative> priced{best_.price};
    for (const Strategy& strategy : AllStrategies()) {
      if (options_.ranks > 1) TRY(Price(strategy, priced));
    }
    TRY(CheckMemory(best_, options_));
    if (best_.parts == 1 && !hints_.empty())
      return Fail(Code::kUnsupported, "no strategy keeps to the model's annotations; {}",
                  compiled_.alternatives.back().refused);
    compiled_.pareto = ParetoOf(std::move(priced));
    return std::move(best_);
  }

 private:
  Result<void> Price(const Strategy& strategy, std::vector<Alternative>& priced) {
    // Plans that would refuse some requests (dynamic sizes that do not divide) are only for those who ask for
    // them.
    Strategy open = strategy;
    open.space.dynamic = strategy.space.dynamic && !hints_.empty();
    auto draft = DraftPlan(graph_, options_, open, options_.ranks, hints_);
    if (!draft) {
      if (draft.error().code != Code::kUnsupported) return Forward(std::move(draft));
      Alternative refused;
      refused.strategy = strategy.name;
      refused.refused = draft.error().message;
      compiled_.alternatives.push_back(std::move(refused));
      // Splitting nothing is the fastest there: what saves memory is between that and the last one's plan.
      if (Widest(strategy) && cuts_weights_) TRY(AddSwept(*cuts_weights_, priced));
      return {};
    }
    draft->strategy = &strategy;
    compiled_.alternatives.push_back(draft->price);
    priced.push_back(draft->price);
    if (strategy.space.weights) cuts_weights_ = *draft;
    Consider(*draft);
    if (Widest(strategy)) TRY(AddSwept(*draft, priced));
    return {};
  }

  // The widest space holds what the others would find with less memory.
  static bool Widest(const Strategy& strategy) {
    return strategy.space.weights && strategy.space.activations();
  }

  Result<void> AddSwept(const Draft& first, std::vector<Alternative>& priced) {
    TRY_ASSIGN(std::vector<Draft> swept, Swept(graph_, options_, first));
    for (Draft& d : swept) {
      priced.push_back(d.price);
      Consider(std::move(d));
    }
    return {};
  }

  void Consider(Draft draft) {
    if (!Fits(draft.price, options_)) return;
    if (fits_ && draft.price.predicted_us >= kWorthwhile * best_.price.predicted_us) return;
    best_ = std::move(draft);
    fits_ = true;
  }

  const Graph& graph_;
  const Options& options_;
  const std::vector<Hint>& hints_;
  Compiled& compiled_;
  Draft best_;
  std::optional<Draft> cuts_weights_;  // the last that was priced
  bool fits_ = false;
};

std::string Reason(const Draft& taken, const Options& options, const std::vector<Alternative>& alternatives) {
  if (options.ranks == 1) return "one rank holds the whole model";
  std::vector<std::string> others;
  for (const Alternative& a : alternatives) {
    if (a.strategy == taken.price.strategy) continue;
    others.push_back(a.refused.empty() ? fmt::format("{} {:.0f} us", a.strategy, a.predicted_us)
                                       : fmt::format("{}: {}", a.strategy, a.refused));
  }
  const std::string what = taken.parts == 1 && options.ranks > 1
                               ? "one rank instead of " + std::to_string(options.ranks)
                               : "strategy '" + taken.price.strategy + "'";
  return fmt::format("{} is the fastest predicted ({:.0f} us a step; {})", what, taken.price.predicted_us,
                     fmt::join(others, "; "));
}

// Ranks that draw numbers of their own would no longer hold the same values.
Result<void> CheckNoChance(const Graph& graph) {
  static const std::set<std::string> kRandom{"Bernoulli",        "Multinomial",   "RandomNormal",
                                             "RandomNormalLike", "RandomUniform", "RandomUniformLike"};
  for (const graph::Node& node : graph.nodes()) {
    const bool training =
        node.op_type == "Dropout" && node.inputs.size() > 2 && node.inputs[2] != graph::kNoValue;
    if (node.Find("seed") != nullptr || !(kRandom.contains(node.op_type) || training)) continue;
    return Fail(Code::kUnsupported, "node '{}' ({}) has no seed: every rank would draw other numbers",
                node.name, node.op_type);
  }
  return {};
}

}  // namespace

std::vector<std::string_view> Strategies() {
  std::vector<std::string_view> names{kAuto};
  for (const Strategy& strategy : AllStrategies()) names.push_back(strategy.name);
  return names;
}

Result<Compiled> Compile(const Graph& graph, const Options& options, const std::vector<Hint>& hints) {
  TRY(CheckOptions(options));
  Compiled compiled;
  Draft draft;
  if (options.strategy == kAuto) {
    TRY_ASSIGN(draft, Chooser(graph, options, hints, compiled).Run());
    compiled.reason = Reason(draft, options, compiled.alternatives);
  } else {
    TRY_ASSIGN(draft, DraftPlan(graph, options, Named(options.strategy), options.ranks, hints));
    TRY(CheckMemory(draft, options));
    if (draft.parts > 1) {
      TRY_ASSIGN(const Draft whole, DraftPlan(graph, options, OneRank(), 1));
      compiled.alternatives.push_back(whole.price);
    }
    compiled.alternatives.push_back(draft.price);
    TRY_ASSIGN(const std::vector<Draft> swept, Swept(graph, options, draft));
    std::vector<Alternative> priced = compiled.alternatives;
    for (const Draft& d : swept) priced.push_back(d.price);
    compiled.pareto = ParetoOf(std::move(priced));
  }
  if (draft.parts > 1) TRY(CheckNoChance(graph));
  const CostModel cost(graph, MachineOf(options), draft.strategy->objective, draft.parts,
                       options.nominal_dims);
  compiled.machine = MachineOf(options).name;
  compiled.axis = draft.strategy->axis;
  TRY_ASSIGN(compiled.model,
             Rewrite(graph, *draft.candidates, draft.assignment, cost, draft.parts, compiled.axis));
  if (const auto checked = CheckRankModel(graph, compiled.model); !checked) {
    return Fail(Code::kInternal,
                "the split would compute something else: {}; this is a defect of the compiler",
                checked.error().message);
  }
  if (!options.annotated.empty())
    compiled.annotations = AnnotationsOf(graph, *draft.candidates, draft.assignment, draft.parts);
  compiled.taken = draft.price;
  compiled.divisible = draft.candidates->divisible;
  return compiled;
}

}  // namespace tessera::shard
