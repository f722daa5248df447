#include "tessera/shard/row.h"

#include <algorithm>

namespace tessera::shard {
namespace {

std::vector<int64_t> Sizes(const Rule& rule, const FactorDim& dim) {
  std::vector<int64_t> sizes;
  for (const int factor : dim) sizes.push_back(rule.factors[static_cast<size_t>(factor)].size);
  return sizes;
}

int64_t Product(const std::vector<int64_t>& sizes, size_t from, size_t to) {
  int64_t product = 1;
  for (size_t i = from; i < to; ++i) {
    if (sizes[i] == kDynamic) return kDynamic;
    product *= sizes[i];
  }
  return product;
}

// The cut of a whole made of pieces of `sizes`, each cut by its own.
std::optional<Cut> CutOfWhole(const std::vector<Cut>& cuts, const std::vector<int64_t>& sizes) {
  std::vector<Run> runs;
  for (size_t i = 0; i < cuts.size(); ++i) {
    if (cuts[i].plain()) {
      runs.push_back({sizes[i], 1});
    } else {
      runs.insert(runs.end(), cuts[i].runs().begin(), cuts[i].runs().end());
    }
  }
  return Cut::Of(runs,
                 Product(sizes, 0, 0));  // the size cannot be one segment here: there are several pieces
}

// The cuts of the pieces; nullopt when a segment of the whole crosses a border.
std::optional<std::vector<Cut>> CutsOfPieces(const Cut& whole, const std::vector<int64_t>& sizes) {
  std::vector<Cut> cuts;
  std::vector<Run> left = whole.runs();
  size_t at = 0;
  for (const int64_t size : sizes) {
    std::vector<Run> runs;
    for (int64_t open = size; open > 0;) {
      if (at == left.size() || left[at].count == kDynamic) return std::nullopt;
      const int64_t count = std::min(left[at].count, open / left[at].size);
      if (count == 0) return std::nullopt;
      runs.push_back({left[at].size, count});
      open -= left[at].size * count;
      left[at].count -= count;
      if (left[at].count == 0) ++at;
    }
    cuts.push_back(Cut::Of(runs, size));
  }
  return cuts;
}

State StateOf(const Row& row, Operand operand) {
  const auto i = static_cast<size_t>(operand.index);
  return operand.output ? row.outputs[i] : row.inputs[i].value_or(State::Replicated());
}

}  // namespace

bool Division::Divides(const Factor& factor, const Cut& cut) const {
  if (factor.size == kDynamic && cut.plain()) return symbols.contains(factor.symbol);
  return cut.Divides(factor.size, parts);
}

Rows::Rows(const OpView& op, std::optional<Rule> rule, Division division)
    : op_(op), rule_(std::move(rule)), division_(std::move(division)) {}

const FactorShape& Rows::ShapeOf(Operand operand) const {
  return (operand.output ? rule_->outputs : rule_->inputs)[static_cast<size_t>(operand.index)];
}

Row Rows::Replicated() const {
  Row row;
  for (int i = 0; i < op_.inputs(); ++i) {
    row.inputs.push_back(op_.has_input(i) ? std::optional(State::Replicated()) : std::nullopt);
  }
  row.outputs.resize(static_cast<size_t>(op_.outputs()));
  if (rule_) {
    for (const int i : rule_->shape_only) row.inputs[static_cast<size_t>(i)].reset();
  }
  return row;
}

std::vector<Row> Rows::With(Operand operand, const State& state) const {
  if (!rule_ || state.replicated()) return {};
  return state.split() ? Splitting(operand, state) : Linear(operand, state);
}

std::vector<Row> Rows::Splitting(Operand operand, const State& state) const {
  const FactorShape& shape = ShapeOf(operand);
  if (static_cast<size_t>(state.axis) >= shape.size()) return {};
  if (auto row = Grouping(); row && StateOf(*row, operand) == state) return {*row};
  if (rule_->join && state.axis == rule_->join->axis) {
    auto row = Joining(operand, state.cut);
    return row ? std::vector<Row>{*row} : std::vector<Row>{};
  }
  const FactorDim& dim = shape[static_cast<size_t>(state.axis)];
  if (dim.empty()) return {};
  const auto found = CutOfFactor(state.cut, Sizes(*rule_, dim), division_.parts);
  if (!found) return WithCopies(operand, state);
  auto row = Cutting(dim[static_cast<size_t>(found->factor)], found->cut);
  return row ? std::vector<Row>{*row} : std::vector<Row>{};
}

// Heads that are fewer than the ranks: a reshape of (key heads, queries a key head) to all heads gives each
// rank those of its key head, of which it takes its own.
std::vector<Row> Rows::WithCopies(Operand operand, const State& state) const {
  const FactorDim& dim = ShapeOf(operand)[static_cast<size_t>(state.axis)];
  if (!division_.copies || !operand.output || state.cut.copies() > 1 || dim.size() < 2 || rule_->contraction)
    return {};
  for (int copies = 2; copies < division_.parts; ++copies) {
    if (division_.parts % copies != 0) continue;
    const auto found = CutOfFactor(state.cut.WithCopies(copies), Sizes(*rule_, dim), division_.parts);
    if (!found) continue;
    auto row = Cutting(dim[static_cast<size_t>(found->factor)], found->cut);
    return row ? std::vector<Row>{*row} : std::vector<Row>{};
  }
  return {};
}

// Fewer key heads than ranks: queries are cut plainly, keys and values held in copies (whole where there is
// one head).
std::optional<Row> Rows::Grouping() const {
  if (!rule_->grouped || !division_.copies) return std::nullopt;
  const auto [keys, members] = *rule_->grouped;
  const int64_t heads = rule_->factors[static_cast<size_t>(keys)].size;
  const int64_t all = heads * rule_->factors[static_cast<size_t>(members)].size;
  const int64_t parts = division_.parts;
  if (heads <= 0 || heads >= parts || parts % heads != 0 || all % parts != 0) return std::nullopt;
  Row row = Replicated();
  row.factor = kGroups;
  const auto state = [&](const FactorShape& shape) {
    for (size_t d = 0; d < shape.size(); ++d) {
      if (shape[d].empty() || shape[d][0] != keys) continue;
      const bool queries = shape[d].size() > 1 && shape[d][1] == members;
      if (queries) return State::Split(static_cast<int>(d));
      if (heads > 1)
        return State::Split(static_cast<int>(d), Cut().WithCopies(static_cast<int>(parts / heads)));
    }
    return State::Replicated();
  };
  for (size_t i = 0; i < row.inputs.size(); ++i) {
    if (row.inputs[i]) row.inputs[i] = state(rule_->inputs[i]);
  }
  for (size_t i = 0; i < row.outputs.size(); ++i) row.outputs[i] = state(rule_->outputs[i]);
  return row;
}

std::optional<Row> Rows::Joining(Operand operand, const Cut& cut) const {
  if (cut.copies() > 1) return std::nullopt;
  const bool pieces_in = rule_->join->inputs_are_pieces;
  const auto axis = static_cast<size_t>(rule_->join->axis);
  const int pieces = pieces_in ? op_.inputs() : op_.outputs();
  std::vector<int64_t> sizes;
  for (int i = 0; i < pieces; ++i) sizes.push_back((pieces_in ? op_.input(i) : op_.output(i)).shape[axis]);
  if (std::find(sizes.begin(), sizes.end(), kDynamic) != sizes.end()) return std::nullopt;
  const bool of_whole = operand.output == pieces_in;
  // One piece's cut asks for the plain cut of all of them, unless they are all like it.
  std::optional<std::vector<Cut>> cuts;
  if (of_whole) {
    cuts = CutsOfPieces(cut, sizes);
  } else {
    const bool alike = std::all_of(sizes.begin(), sizes.end(), [&](int64_t s) { return s == sizes[0]; });
    if (!cut.plain() && !alike) return std::nullopt;
    cuts = std::vector<Cut>(sizes.size(), cut);
  }
  if (!cuts) return std::nullopt;
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (!(*cuts)[i].Divides(sizes[i], division_.parts)) return std::nullopt;
  }
  const auto whole = sizes.size() == 1 ? std::optional((*cuts)[0]) : CutOfWhole(*cuts, sizes);
  if (!whole) return std::nullopt;
  Row row = Replicated();
  row.join = true;
  for (int i = 0; i < pieces; ++i) {
    const State piece = State::Split(rule_->join->axis, (*cuts)[static_cast<size_t>(i)]);
    if (pieces_in)
      row.inputs[static_cast<size_t>(i)] = piece;
    else
      row.outputs[static_cast<size_t>(i)] = piece;
  }
  if (pieces_in)
    row.outputs[0] = State::Split(rule_->join->axis, *whole);
  else
    row.inputs[0] = State::Split(rule_->join->axis, *whole);
  return row;
}

std::vector<Row> Rows::Linear(Operand operand, const State& state) const {
  if (state.reduce != ReduceOp::kSum && state.reduce != ReduceOp::kAvg) return {};
  std::vector<Row> rows;
  for (const std::vector<int>& set : rule_->linear) {
    if (!operand.output && std::find(set.begin(), set.end(), operand.index) == set.end()) continue;
    Row row = Replicated();
    for (const int i : set) row.inputs[static_cast<size_t>(i)] = state;
    for (const int i : rule_->addends) {
      if (op_.has_input(i)) row.inputs[static_cast<size_t>(i)] = state;
    }
    std::fill(row.outputs.begin(), row.outputs.end(), state);
    rows.push_back(std::move(row));
  }
  return rows;
}

// The state that cutting the factor gives an operand; nullopt = it does not have the factor.
std::optional<State> Rows::CutShape(const FactorShape& shape, int factor, const Cut& cut,
                                    bool& possible) const {
  std::optional<State> state;
  for (size_t d = 0; d < shape.size(); ++d) {
    const auto at = std::find(shape[d].begin(), shape[d].end(), factor);
    if (at == shape[d].end()) continue;
    const std::vector<int64_t> sizes = Sizes(*rule_, shape[d]);
    const auto place = static_cast<size_t>(at - shape[d].begin());
    const auto lifted =
        cut.Lift(sizes[place], Product(sizes, 0, place), Product(sizes, place + 1, sizes.size()));
    if (!lifted || state)
      possible = false;  // a factor in two dimensions of one operand cannot be cut
    else
      state = State::Split(static_cast<int>(d), *lifted);
  }
  return state;
}

std::optional<Row> Rows::Cutting(int factor, const Cut& cut) const {
  const Factor& what = rule_->factors[static_cast<size_t>(factor)];
  if (what.whole || !division_.Divides(what, cut)) return std::nullopt;
  if (factor == rule_->looked_up && !cut.plain()) return std::nullopt;
  const bool across = rule_->across && factor == rule_->across->factor;
  if (across && (!cut.plain() || what.size == kDynamic || what.size / division_.parts < rule_->across->least))
    return std::nullopt;
  Row row = Replicated();
  row.factor = factor;
  bool possible = true;
  for (size_t i = 0; i < row.inputs.size(); ++i) {
    if (auto state = CutShape(rule_->inputs[i], factor, cut, possible)) row.inputs[i] = *state;
  }
  bool in_output = false;
  for (size_t i = 0; i < row.outputs.size(); ++i) {
    if (auto state = CutShape(rule_->outputs[i], factor, cut, possible)) {
      row.outputs[i] = *state;
      in_output = true;
    }
  }
  if (!possible) return std::nullopt;
  if (in_output || across) return row;
  if (what.reduce == ReduceOp::kNone || cut.copies() > 1) return std::nullopt;
  std::fill(row.outputs.begin(), row.outputs.end(), State::Partial(what.reduce));
  for (const int i : rule_->addends) {
    if (op_.has_input(i)) row.inputs[static_cast<size_t>(i)] = State::Partial(what.reduce);
  }
  return row;
}

}  // namespace tessera::shard
