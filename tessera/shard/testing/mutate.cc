#include "tessera/shard/testing/mutate.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "tessera/plan/dist_collective.h"

namespace tessera::shard::testing {
namespace {

namespace dist = plan::dist_collective;
using graph::Node;
using graph::ValueId;
using Integers = std::vector<int64_t>;

class Mutator {
 public:
  Mutator(RankModel& ranks, std::mt19937& random) : ranks_(ranks), random_(random) {}

  std::string Run() {
    for (size_t n = 0; n < ranks_.graph.nodes().size(); ++n) {
      Node& node = ranks_.graph.node(graph::NodeId{static_cast<int32_t>(n)});
      if (node.op_type == dist::kOpType)
        Collective(node);
      else
        Computation(node);
    }
    for (auto& [id, constant] : ranks_.constants) Constant(id, constant);
    for (size_t i = 0; i < ranks_.outputs.size(); ++i) Output(i);
    if (kinds_.empty()) return "";
    // First a kind, then one of it: otherwise nearly all would be of the most common kind.
    auto kind = kinds_.begin();
    std::advance(kind, Roll(kinds_.size()));
    const auto& [what, change] = kind->second[Roll(kind->second.size())];
    change();
    return fmt::format("{}: {}", kind->first, what);
  }

 private:
  using Change = std::function<void()>;

  size_t Roll(size_t size) { return std::uniform_int_distribution<size_t>(0, size - 1)(random_); }
  void Add(const std::string& kind, const std::string& what, Change change) {
    kinds_[kind].emplace_back(what, std::move(change));
  }

  void Redirect(ValueId from, ValueId to) {
    for (size_t n = 0; n < ranks_.graph.nodes().size(); ++n) {
      Node& node = ranks_.graph.node(graph::NodeId{static_cast<int32_t>(n)});
      std::replace(node.inputs.begin(), node.inputs.end(), from, to);
    }
    std::replace(ranks_.graph.outputs().begin(), ranks_.graph.outputs().end(), from, to);
  }

  void Collective(Node& node) {
    const size_t at = Planned(node.name);
    if (node.String(dist::kOperation, "") == "all_reduce") {
      Add("drop a collective", node.name, [&] {
        const ValueId in = node.inputs[0];
        const ValueId out = node.outputs[0];
        std::swap(ranks_.graph.value(in).name, ranks_.graph.value(out).name);
        Redirect(out, in);
      });
      const bool largest = node.String(dist::kReduceOp, "") == "max";
      Add(largest ? "sum instead of maximum" : "maximum instead of sum", node.name, [&, at, largest] {
        node.Set(dist::kReduceOp, largest ? "sum" : "max");
        ranks_.collectives[at].reduce = largest ? ReduceOp::kSum : ReduceOp::kMax;
      });
      Add("average instead of sum", node.name, [&, at] {
        const bool sum = node.String(dist::kReduceOp, "") == "sum";
        node.Set(dist::kReduceOp, sum ? "avg" : "sum");
        ranks_.collectives[at].reduce = sum ? ReduceOp::kAvg : ReduceOp::kSum;
      });
    }
    Add("wrong nb_rank", node.name, [&] { node.Set(dist::kRankCount, int64_t{ranks_.parts + 1}); });
    Add("another collective", node.name, [&, at] {
      const bool reduce = node.String(dist::kOperation, "") == "all_reduce";
      node.Set(dist::kOperation, reduce ? "all_gather" : "all_reduce");
      node.Set(dist::kReduceOp, reduce ? "none" : "sum");
      ranks_.collectives[at].op = reduce ? CollectiveOp::kAllGather : CollectiveOp::kAllReduce;
      ranks_.collectives[at].reduce = reduce ? ReduceOp::kNone : ReduceOp::kSum;
    });
  }

  size_t Planned(const std::string& name) const {
    const auto found = std::find_if(ranks_.collectives.begin(), ranks_.collectives.end(),
                                    [&](const auto& c) { return c.name == name; });
    return static_cast<size_t>(found - ranks_.collectives.begin());
  }

  void Computation(Node& node) {
    for (graph::Attribute& attribute : node.attributes) Attribute(node, attribute);
    const bool commutes = node.op_type == "Add" || node.op_type == "Mul" || node.op_type == "Max" ||
                          node.op_type == "Min" || node.op_type == "And" || node.op_type == "Or" ||
                          node.op_type == "Equal";
    if (node.inputs.size() >= 2 && !commutes && node.inputs[0] != node.inputs[1])
      Add("swap inputs", node.name, [&] { std::swap(node.inputs[0], node.inputs[1]); });
    for (size_t i = 0; i < node.inputs.size(); ++i) Versions(node, i);
  }

  void Attribute(Node& node, graph::Attribute& attribute) {
    const std::string what = node.name + "." + attribute.name;
    if (attribute.name == "perm" && attribute.ints.size() > 1) {
      Add("swap axes", what, [&] {
        const size_t i = Roll(attribute.ints.size() - 1);
        std::swap(attribute.ints[i], attribute.ints[i + 1]);
      });
    }
    if (attribute.name == "axis" && node.op_type != "Flatten")
      Add("another axis", what, [&] { attribute.i += attribute.i > 0 ? -1 : 1; });
    for (const char* counts : {"group", "num_groups", "num_heads", "q_num_heads", "kv_num_heads"}) {
      if (attribute.name == counts) Add("wrong divisor", what, [&] { attribute.i *= ranks_.parts; });
    }
  }

  // The same value of the model in another state.
  void Versions(Node& node, size_t i) {
    const auto own = ranks_.origin.find(node.inputs[i]);
    if (own == ranks_.origin.end()) return;
    for (const auto& [id, origin] : ranks_.origin) {
      if (origin.first == own->second.first && id != own->first && id < node.outputs[0])
        Add("another state of an input", node.name, [&node, i, other = id] { node.inputs[i] = other; });
    }
  }

  void Constant(ValueId id, RankConstant& constant) {
    const std::string& name = ranks_.graph.value(id).name;
    if (!constant.by_rank.empty()) {
      Add("shift an offset", name, [&] {
        Integers values = graph::AsInt64(constant.by_rank[1]).value_or(Integers{});
        for (int64_t& v : values) v += v > 0 ? -1 : 1;
        constant.by_rank[1] = graph::Constant::OfInt64(values, constant.by_rank[1].shape);
      });
      Add("swap the ranks' offsets", name, [&] { std::swap(constant.by_rank[0], constant.by_rank[1]); });
      return;
    }
    if (constant.state.partial())
      Add("add a bias N times", name, [&] { constant.state = State::Replicated(); });
    if (constant.state.split()) Weight(id, constant);
    const bool made = !ranks_.origin.contains(id) && constant.whole && constant.whole->type == DType::kInt64;
    const auto values = made ? graph::AsInt64(*constant.whole) : std::nullopt;
    if (!values) return;
    for (size_t i = 0; i < values->size(); ++i) {
      if (Unused(name, i, (*values)[i])) continue;
      Add("wrong size or index", name, [&, i, changed = *values]() mutable {
        const bool divides = changed[i] > ranks_.parts && changed[i] % ranks_.parts == 0;
        // -1 and 0 in a target may well mean the same size.
        changed[i] = divides ? changed[i] / ranks_.parts : changed[i] < 1 ? 7919 : changed[i] + 1;
        constant.whole =
            std::make_shared<const graph::Constant>(graph::Constant::OfInt64(changed, constant.whole->shape));
      });
    }
  }

  // Whether element `i` of a computed target's operands plays no part: what is not divided, compared or put
  // in.
  bool Unused(const std::string& name, size_t i, int64_t value) const {
    if (name.ends_with("/divisors")) return value == 1;
    if (name.ends_with("/one")) return true;  // 1 or 2: both keep -1, 0 and 1 as they are
    if (!name.ends_with("/target.values")) return false;
    const auto known = ranks_.graph.FindValue(name.substr(0, name.size() - 6) + "known");
    return !known || graph::AsInt64(*ranks_.constants.at(*known).whole).value().at(i) == 0;
  }

  void Weight(ValueId id, RankConstant& constant) {
    const std::string& name = ranks_.graph.value(id).name;
    const Shape& shape = constant.whole->shape;
    for (size_t axis = 0; axis < shape.size(); ++axis) {
      if (static_cast<int>(axis) != constant.state.axis && shape[axis] % ranks_.parts == 0)
        Add("cut a weight along another axis", name,
            [&, axis] { constant.state = State::Split(static_cast<int>(axis)); });
    }
    const int64_t size = shape[static_cast<size_t>(constant.state.axis)];
    if (size % (2 * ranks_.parts) == 0) {
      Add("cut a weight in other segments", name, [&, size] {
        constant.state.cut = constant.state.cut.plain() ? Cut::Of({{size / 2, 2}}, size) : Cut();
      });
    }
  }

  void Output(size_t i) {
    Add("another layout of an output", fmt::format("{}", i), [&, i] {
      ranks_.outputs[i] = ranks_.outputs[i].replicated() ? State::Split(0) : State::Replicated();
    });
  }

  RankModel& ranks_;
  std::mt19937& random_;
  std::map<std::string, std::vector<std::pair<std::string, Change>>> kinds_;
};

}  // namespace

std::string Mutate(RankModel& ranks, std::mt19937& random) {
  return Mutator(ranks, random).Run();
}

}  // namespace tessera::shard::testing
