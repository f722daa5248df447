#include "tessera/shard/rewrite.h"

#include <algorithm>
#include <set>
#include <utility>

#include "tessera/plan/dist_collective.h"
#include "tessera/shard/batch.h"
#include "tessera/shard/converter.h"
#include "tessera/shard/emitter.h"
#include "tessera/shard/local_across.h"
#include "tessera/shard/local_edits.h"
#include "tessera/shard/local_lookup.h"

namespace tessera::shard {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;

class Rewriter {
 public:
  Rewriter(const Graph& graph, const Candidates& candidates, const Assignment& assignment,
           const CostModel& cost, int parts, const std::string& axis_name)
      : graph_(graph),
        candidates_(candidates),
        assignment_(assignment),
        known_(KnownElements(graph)),
        batches_(BatchAllReduces(graph, candidates, assignment, cost)),
        emitter_(model_, axis_name),
        converter_(emitter_, cost),
        cost_(cost) {
    model_.parts = parts;
    for (const Batch& batch : batches_) {
      for (const ValueId id : batch.values) batch_of_[id] = &batch;
    }
  }

  Result<RankModel> Run() {
    CopyHeader();
    ListOutputs();
    waiting_ = LiveNodes(graph_);
    for (size_t n = 0; n < graph_.nodes().size(); ++n) TRY(AddNode(n));
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      TRY_ASSIGN(const ValueId id, Take(graph_.outputs()[i], assignment_.output[i]));
      model_.graph.outputs().push_back(id);
      model_.outputs.push_back(assignment_.output[i]);
    }
    return std::move(model_);
  }

 private:
  void CopyHeader() {
    Graph& out = model_.graph;
    out.name = graph_.name;
    out.ir_version = graph_.ir_version;
    out.opsets = graph_.opsets;
    out.symbol_names = graph_.symbol_names;
    out.rest = graph_.rest;
    if (model_.parts > 1) out.opsets[plan::dist_collective::kDomain] = plan::dist_collective::kDomainVersion;
    for (const ValueId id : graph_.inputs()) {
      const graph::Value& value = graph_.value(id);
      const State& state = PlacementOf(id).produced;
      const ValueId copy = emitter_.Value(value.name, value, LocalShape(value.shape, state, model_.parts));
      out.inputs().push_back(copy);
      model_.inputs.push_back(state);
      Keep(id, state, copy);
    }
  }

  // The state in which each model output bears its name.
  void ListOutputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i)
      output_state_.emplace(graph_.outputs()[i], assignment_.output[i]);
  }

  std::string NameOf(ValueId id, const State& state) const {
    const auto output = output_state_.find(id);
    const bool bears = output == output_state_.end() ? state.replicated() : state == output->second;
    const std::string& name = graph_.value(id).name;
    if (bears) return name;
    return name + (state.replicated() ? ".whole" : state.split() ? ".split" : ".partial");
  }

  void Keep(ValueId original, const State& state, ValueId copy) {
    versions_[{original, state}] = copy;
    model_.origin[copy] = {original, state};
  }

  // The rank graph's value that holds `id` in `state`, made if it is not there yet.
  Result<ValueId> Take(ValueId id, const State& state) {
    const auto found = versions_.find({id, state});
    if (found != versions_.end()) return found->second;
    const graph::Value& whole = graph_.value(id);
    if (whole.constant) return Weight(id, state);
    const Placement& placement = PlacementOf(id);
    const bool collective = placement.made && *placement.made == state;
    const bool own = collective || Refines(placement.produced, state);
    const State from = own ? placement.produced : State::Replicated();
    if (collective && batch_of_.contains(id)) {
      TRY(Sum(*batch_of_.at(id)));
      return versions_.at({id, state});
    }
    TRY_ASSIGN(const ValueId source, Take(id, from));
    TRY_ASSIGN(const ValueId made, converter_.Convert(source, id, whole, from, state, NameOf(id, state)));
    Keep(id, state, made);
    return made;
  }

  // All values of the batch at once. Some may be made by nodes that come later in the model.
  Result<void> Sum(const Batch& batch) {
    std::vector<ValueId> terms;
    std::vector<ValueId> sums;
    Shape shape = graph_.value(batch.values[0]).shape;
    const auto axis = static_cast<size_t>(batch.axis);
    shape[axis] = 0;
    double bytes = 0;
    double us = -batch.saved_us;
    for (const ValueId id : batch.values) {
      TRY(AddNodesFor(id));
      TRY_ASSIGN(const ValueId term, Take(id, PlacementOf(id).produced));
      terms.push_back(term);
      shape[axis] += graph_.value(id).shape[axis];
      bytes += cost_.NominalBytes(id);
      us += cost_.Convert(id, PlacementOf(id).produced, State::Replicated()).us;
    }
    const std::string name = graph_.value(batch.values[0]).name + ".batch";
    const ValueId joined = emitter_.Concat(terms, batch.axis, shape, name + ".partial");
    const ReduceOp reduce = PlacementOf(batch.values[0]).produced.reduce;
    const ValueId sum = emitter_.Collective(CollectiveOp::kAllReduce, reduce, joined, shape, bytes, name);
    model_.collective_us.push_back(us);
    for (const ValueId id : batch.values) {
      const graph::Value& whole = graph_.value(id);
      sums.push_back(emitter_.Value(NameOf(id, State::Replicated()), whole, whole.shape));
      Keep(id, State::Replicated(), sums.back());
    }
    emitter_.Cut(sum, batch.axis, sums, name + ".pieces");
    return {};
  }

  // The nodes that `id` needs and that have not been added yet, in the model's order.
  Result<void> AddNodesFor(ValueId id) {
    std::set<size_t> needed;
    std::vector<ValueId> open{id};
    while (!open.empty()) {
      const graph::NodeId producer = graph_.value(open.back()).producer;
      open.pop_back();
      if (producer == graph::kNoNode) continue;
      const auto n = static_cast<size_t>(producer.value());
      if (!waiting_[n] || !needed.insert(n).second) continue;
      const Node& node = graph_.nodes()[n];
      for (const ValueId input : node.inputs) {
        if (input != graph::kNoValue) open.push_back(input);
      }
      for (const auto& attribute : node.attributes)
        open.insert(open.end(), attribute.captured.begin(), attribute.captured.end());
    }
    for (const size_t n : needed) TRY(AddNode(n));
    return {};
  }

  const Placement& PlacementOf(ValueId id) const {
    return assignment_.placement[static_cast<size_t>(id.value())];
  }

  ValueId Weight(ValueId id, const State& state) {
    const graph::Value& whole = graph_.value(id);
    RankConstant constant{whole.constant, state, {}};
    graph::Constant on_first = OnRank(constant, 0, model_.parts);
    const ValueId copy = model_.graph.AddConstant(NameOf(id, state), std::move(on_first));
    model_.graph.value(copy).rest = whole.rest;
    model_.constants[copy] = std::move(constant);
    Keep(id, state, copy);
    return copy;
  }

  // Once; not at all where no output needs it.
  Result<void> AddNode(size_t n) {
    if (!waiting_[n]) return {};
    waiting_[n] = false;
    const Node& original = graph_.nodes()[n];
    const Row& row = candidates_.rows[n][static_cast<size_t>(assignment_.row[n])];
    const auto& rule = candidates_.makers[n].rule();
    Node node = original;
    State shape_state;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (original.inputs[i] == graph::kNoValue) continue;
      const State wanted = row.inputs[i] ? *row.inputs[i] : AsHeld(original.inputs[i]);
      if (!row.inputs[i]) shape_state = wanted;
      TRY_ASSIGN(node.inputs[i], Take(original.inputs[i], wanted));
    }
    for (auto& attribute : node.attributes) {
      for (ValueId& id : attribute.captured) {
        TRY_ASSIGN(id, Take(id, State::Replicated()));
      }
    }
    if (rule) TRY(ApplyEdits(emitter_, graph_, known_, original, *rule, row, node));
    const bool scaled = rule && !rule->shape_only.empty() && shape_state.split();
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      if (original.outputs[i] != graph::kNoValue)
        node.outputs[i] = Produce(original.outputs[i], row.outputs[i], scaled);
    }
    const ValueId local = node.outputs.empty() ? graph::kNoValue : node.outputs[0];
    if (LooksAcross(rule, row)) {
      AddAcross(emitter_, graph_, original, std::move(node), cost_.NominalBytes(original.inputs[0]));
      model_.collective_us.resize(model_.collectives.size(), cost_.AcrossCollective(original, *rule));
    } else {
      AddToRank(emitter_, graph_, original, rule, row, std::move(node));
    }
    if (scaled) ScaleShape(original, shape_state, local);
    return {};
  }

  // The version of a value that is there anyhow, for a consumer that takes any.
  State AsHeld(ValueId id) const {
    if (graph_.value(id).constant) return State::Replicated();
    const Placement& placement = PlacementOf(id);
    return placement.made && placement.made->replicated() ? *placement.made : placement.produced;
  }

  ValueId Produce(ValueId original, const State& state, bool scaled) {
    const graph::Value& whole = graph_.value(original);
    const std::string name = scaled ? whole.name + ".local" : NameOf(original, state);
    const ValueId copy = emitter_.Value(name, whole, LocalShape(whole.shape, state, model_.parts));
    if (!scaled) Keep(original, state, copy);
    return copy;
  }

  // Shape or Size of a cut value counts the rank's elements: times the number of ranks, they are the model's.
  void ScaleShape(const Node& original, const State& state, ValueId local) {
    const ValueId id = original.outputs[0];
    const graph::Value& whole = graph_.value(id);
    const std::string name = NameOf(id, State::Replicated());
    std::vector<int64_t> factors;
    if (original.op_type == "Size") {
      factors = {Pieces(state, model_.parts)};
    } else {
      const auto rank = static_cast<int64_t>(graph_.value(original.inputs[0]).shape.size());
      int64_t start = original.Int("start", 0);
      start = std::clamp<int64_t>(start < 0 ? start + rank : start, 0, rank);
      const int64_t count = whole.shape.empty() || whole.shape[0] == kDynamic ? rank - start : whole.shape[0];
      factors.assign(static_cast<size_t>(count), 1);
      if (state.axis >= start && state.axis < start + count)
        factors[static_cast<size_t>(state.axis - start)] = Pieces(state, model_.parts);
    }
    graph::Constant scale = graph::Constant::OfInt64(
        factors, original.op_type == "Size" ? Shape{} : Shape{static_cast<int64_t>(factors.size())});
    const ValueId by = emitter_.Constant(name + ".ranks", std::move(scale));
    Keep(id, State::Replicated(), emitter_.Op("Mul", name, {local, by}, whole.shape));
  }

  const Graph& graph_;
  const Candidates& candidates_;
  const Assignment& assignment_;
  std::vector<Elements> known_;
  std::vector<Batch> batches_;
  RankModel model_;
  Emitter emitter_;
  Converter converter_;
  const CostModel& cost_;
  std::map<ValueId, const Batch*> batch_of_;
  std::map<std::pair<ValueId, State>, ValueId> versions_;
  std::map<ValueId, State> output_state_;
  std::vector<bool> waiting_;  // by node of the model: needed and not added yet
};

}  // namespace

Result<RankModel> Rewrite(const Graph& graph, const Candidates& candidates, const Assignment& assignment,
                          const CostModel& cost, int parts, const std::string& axis_name) {
  return Rewriter(graph, candidates, assignment, cost, parts, axis_name).Run();
}

}  // namespace tessera::shard
