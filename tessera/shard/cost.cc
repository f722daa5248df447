#include "tessera/shard/cost.h"

#include <algorithm>
#include <array>

#include "tessera/shard/cost_network.h"
#include "tessera/shard/fused_values.h"

namespace tessera::shard {
namespace {

constexpr int64_t kNominalFirst = 8;    // a dynamic first dimension: a batch
constexpr int64_t kNominalOther = 128;  // another one: a sequence
constexpr double kFusedShare = 0.1;     // of the time that a fused value would take through memory
constexpr double kPreference = 1e-3;    // us: decides between plans of equal time
constexpr double kLookupOps = 6;        // that a lookup in a part of a table takes beside the Gather

bool Moves(const graph::Node& node) {
  static constexpr std::array kFree{"Reshape",  "Squeeze", "Unsqueeze", "Flatten",
                                    "Identity", "Shape",   "Size"};
  return std::find(kFree.begin(), kFree.end(), node.op_type) == kFree.end();
}

// Types that the collectives take (see comm/communicator.h).
bool Collects(DType type) {
  static constexpr std::array kTypes{DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8,
                                     DType::kInt32,   DType::kInt64,   DType::kBool};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

// Whether pieces of a value can be taken or put together: the cut is plain or the dimension's size is known,
// and a constant's elements are whole bytes.
bool Movable(const graph::Value& value, const State& state) {
  if (value.constant && !state.replicated() && (value.constant->raw || BitsOf(value.type) % 8 != 0))
    return false;
  if (!state.split()) return true;
  return value.has_shape && (state.cut.plain() || value.shape[static_cast<size_t>(state.axis)] != kDynamic);
}

}  // namespace

CostModel::CostModel(const graph::Graph& graph, const Machine& machine, const Objective& objective, int parts,
                     const std::map<std::string, int64_t>& nominal_dims)
    : graph_(graph),
      speeds_(machine.For(parts)),
      objective_(objective),
      parts_(parts),
      nominal_dims_(nominal_dims),
      fused_(FusedValues(graph)) {
  FindNominalSizes();
  FindShared();
}

// A reshape keeps the number of elements: that tells the one size of its output that nothing else tells.
void CostModel::FindNominalSizes() {
  for (const graph::ValueId id : graph_.inputs()) {
    const graph::Value& value = graph_.value(id);
    for (size_t d = 0; d < value.shape.size(); ++d) {
      const int32_t symbol = SymbolOf(value, d);
      if (symbol < 0) continue;
      const auto index = static_cast<size_t>(symbol);
      const auto told =
          nominal_dims_.find(index < graph_.symbol_names.size() ? graph_.symbol_names[index] : "");
      const int64_t size =
          told != nominal_dims_.end() ? told->second : (d == 0 ? kNominalFirst : kNominalOther);
      nominal_.try_emplace(symbol, static_cast<double>(size));
    }
  }
  for (const graph::Node& node : graph_.nodes()) {
    if (node.op_type != "Reshape" || !graph_.value(node.inputs[0]).has_shape) continue;
    const graph::Value& out = graph_.value(node.outputs[0]);
    double rest = NominalCount(graph_.value(node.inputs[0]));
    int32_t open = -1;
    for (size_t d = 0; d < out.shape.size(); ++d) {
      const int32_t symbol = SymbolOf(out, d);
      if (out.shape[d] == kDynamic && symbol >= 0 && !nominal_.contains(symbol))
        open = symbol;
      else
        rest /= NominalSize(out, d);
    }
    if (open >= 0) nominal_.emplace(open, std::max(1.0, rest));
  }
}

double CostModel::NominalSize(const graph::Value& value, size_t dim) const {
  if (value.shape[dim] != kDynamic) return static_cast<double>(value.shape[dim]);
  const auto known = nominal_.find(SymbolOf(value, dim));
  if (known != nominal_.end()) return known->second;
  return static_cast<double>(dim == 0 ? kNominalFirst : kNominalOther);
}

double CostModel::NominalCount(const graph::Value& value) const {
  if (!value.has_shape) return 0;
  double count = 1;
  for (size_t d = 0; d < value.shape.size(); ++d) count *= NominalSize(value, d);
  return count;
}

double CostModel::NominalBytes(graph::ValueId value) const {
  const graph::Value& v = graph_.value(value);
  return NominalCount(v) * std::max(1, BitsOf(v.type) / 8);
}

// Bytes through memory; a fused value stays near the core, which costs something still: its op is computed.
double CostModel::Moved(graph::ValueId value) const {
  return (Fused(value) ? kFusedShare : 1) * NominalBytes(value);
}

double CostModel::NodeTime(const graph::Node& node, const Rows& rows, const Row& row) const {
  const auto& rule = rows.rule();
  double bytes = 0;
  for (size_t i = 0; i < node.inputs.size(); ++i) {
    if (node.inputs[i] == graph::kNoValue || !row.inputs[i]) continue;
    // Of what is looked up in, only what is found is read.
    const graph::ValueId read = i == 0 && node.op_type == "Gather" ? node.outputs[0] : node.inputs[i];
    bytes += Moved(read) / Pieces(*row.inputs[i], static_cast<int>(parts_));
  }
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    if (node.outputs[i] != graph::kNoValue)
      bytes += Moved(node.outputs[i]) / Pieces(row.outputs[i], static_cast<int>(parts_));
  }
  if (!Moves(node) || DecodesWeights(graph_, node)) return kPreference;
  double time = speeds_.memory.At(bytes);
  if (rule && row.factor != kNoFactor && row.factor == rule->looked_up)
    time += kLookupOps * speeds_.launch_us + speeds_.memory.At(NominalBytes(node.outputs[0]));
  if (rule && rule->contraction) {
    double flops = 2 * NominalCount(graph_.value(node.outputs[0]));
    for (const Factor& factor : rule->factors) {
      if (factor.reduce == ReduceOp::kSum)
        flops *= static_cast<double>(factor.size == kDynamic ? kNominalOther : factor.size);
    }
    const State& first = row.outputs[0];
    if (row.factor != kNoFactor) flops /= first.split() ? Pieces(first, static_cast<int>(parts_)) : parts_;
    time = std::max(time, speeds_.gemm.At(flops));
  }
  if (rule && rule->across && row.factor == rule->across->factor) time += AcrossTime(node, *rule);
  const bool joins = std::any_of(node.inputs.begin(), node.inputs.end(), [&](graph::ValueId input) {
    return input != graph::kNoValue && Fused(input);
  });
  return (joins ? kPreference : speeds_.launch_us) + time;
}

double CostModel::AcrossBytes(const graph::Node& node, const Rule& rule) const {
  const double lines = NominalBytes(node.inputs[0]) /
                       static_cast<double>(rule.factors[static_cast<size_t>(rule.across->factor)].size);
  return lines * static_cast<double>(rule.across->sent);
}

double CostModel::AcrossCollective(const graph::Node& node, const Rule& rule) const {
  const double sent = AcrossBytes(node, rule);
  const bool gathers = rule.across->op == CollectiveOp::kAllGather;
  return speeds_.Collective(rule.across->op, gathers ? sent * parts_ : sent);
}

// What a node costs more whose ranks exchange something inside.
double CostModel::AcrossTime(const graph::Node& node, const Rule& rule) const {
  return 2 * AcrossCollective(node, rule) +
         rule.across->passes * Move(NominalBytes(node.inputs[0]) / parts_) +
         rule.across->ops * Move(AcrossBytes(node, rule));
}

// What a decoded weight takes is counted where it is decoded.
std::vector<size_t> CostModel::StoredWeights(const graph::Node& node, const Rule& rule) const {
  std::vector<size_t> stored;
  if (DecodesWeights(graph_, node)) {
    for (size_t i = 0; i < node.inputs.size(); ++i) stored.push_back(i);
  } else {
    stored = ConstantWeights(graph_, node, rule);
  }
  std::erase_if(stored, [&](size_t i) {
    return node.inputs[i] == graph::kNoValue || !graph_.value(node.inputs[i]).constant;
  });
  return stored;
}

// Others than tables are left out: weights that all layers share would tie all layers' choices together, to
// no end.
void CostModel::FindShared() {
  std::map<graph::ValueId, int> readers;
  for (const graph::Node& node : graph_.nodes()) {
    for (const graph::ValueId id : std::set(node.inputs.begin(), node.inputs.end())) ++readers[id];
  }
  for (const graph::Node& node : graph_.nodes()) {
    if (node.op_type != "Gather") continue;
    const graph::ValueId table = node.inputs[0];
    if (graph_.value(table).constant && readers[table] > 1) shared_.insert(table);
  }
}

double CostModel::HeldWeights(const graph::Node& node, const Rows& rows, const Row& row) const {
  double bytes = 0;
  if (!rows.rule()) return 0;
  for (const size_t i : StoredWeights(node, *rows.rule())) {
    if (shared_.contains(node.inputs[i])) continue;
    bytes += WeightBytes(node.inputs[i], row.inputs[i].value_or(State::Replicated()));
  }
  return bytes;
}

CostModel CostModel::WithWeightPrice(double us_per_byte) const {
  CostModel other = *this;
  other.objective_.weight_us_per_byte = us_per_byte;
  return other;
}

std::vector<size_t> CostModel::SharedWeights(const graph::Node& node, const Rows& rows) const {
  if (!rows.rule() || objective_.weight_us_per_byte == 0) return {};
  auto weights = StoredWeights(node, *rows.rule());
  std::erase_if(weights, [&](size_t i) { return !shared_.contains(node.inputs[i]); });
  return weights;
}

double CostModel::WeightBytes(graph::ValueId weight, const State& state) const {
  return NominalBytes(weight) / Pieces(state, static_cast<int>(parts_));
}

double CostModel::NodeCost(const graph::Node& node, const Rows& rows, const Row& row) const {
  // Of two places for a reduction that cost the same, the earlier one: like sums then look alike and can be
  // batched.
  const bool carries = row.factor == kNoFactor && std::ranges::any_of(row.outputs, &State::partial);
  return objective_.compute_price * NodeTime(node, rows, row) +
         objective_.weight_us_per_byte * HeldWeights(node, rows, row) + (carries ? kPreference / 4 : 0);
}

double CostModel::Move(double bytes) const {
  return speeds_.launch_us + speeds_.memory.At(2 * bytes);
}

CostModel::Conversion CostModel::Convert(graph::ValueId value, const State& from, const State& to) const {
  if (from == to) return {};
  const bool constant = graph_.value(value).constant != nullptr;
  if (to.partial()) {
    if (constant && !Movable(graph_.value(value), to)) return {kForbidden, false};
    // Only a constant can be zero on all ranks but one; a bias is better added after the reduction, though.
    return constant ? Conversion{kPreference, false} : Conversion{kForbidden, false};
  }
  if (!Movable(graph_.value(value), from) || !Movable(graph_.value(value), to)) return {kForbidden, false};
  if (constant) return {};
  const double bytes = NominalBytes(value);
  const double slice = Move(bytes / parts_);
  if (from.replicated()) return {slice, false};
  if (Refines(from, to)) {
    const bool known = graph_.value(value).shape[static_cast<size_t>(to.axis)] != kDynamic;
    return {known ? slice : kForbidden, false};
  }
  // Copies come from weights that are held so, and go no further than to their slices.
  const auto copies = [](const State& s) { return s.split() && s.cut.copies() > 1; };
  if (copies(from) || copies(to)) return {kForbidden, true};
  if (!Collects(graph_.value(value).type)) return {kForbidden, true};
  // A collective works along axis 0: another axis is transposed to it and back.
  const double turn = 2 * Move(bytes);
  const auto axis_cost = [&](const State& s) {
    return (s.axis == 0 ? 0 : turn) + (s.cut.plain() ? 0 : turn / 2);
  };
  if (from.split() && to.split() && ExchangesDirectly(from, to)) {
    return {speeds_.Collective(CollectiveOp::kAllToAll, bytes / parts_) + 2 * turn / parts_, true};
  }
  if (from.split()) {
    const double whole = speeds_.Collective(CollectiveOp::kAllGather, bytes) + axis_cost(from);
    return {to.replicated() ? whole : whole + slice, true};
  }
  if (to.replicated()) return {AllReduceTime(bytes), true};
  if (from.reduce != ReduceOp::kSum && from.reduce != ReduceOp::kAvg) return {kForbidden, true};
  return {speeds_.Collective(CollectiveOp::kReduceScatter, bytes) + axis_cost(to), true};
}

double CostModel::AllReduceTime(double bytes) const {
  return speeds_.Collective(CollectiveOp::kAllReduce, bytes);
}

double CostModel::OutputCost(graph::ValueId value, const State& state) const {
  if (state.replicated()) return 0;
  if (state.partial() || !state.cut.plain()) return kForbidden;
  return speeds_.memory.At(NominalBytes(value));
}

}  // namespace tessera::shard
