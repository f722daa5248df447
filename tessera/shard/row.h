// The ways in which one node can run on N ranks: a row tells the state of every input and output.
#pragma once

#include <optional>
#include <set>
#include <vector>

#include "tessera/shard/rule.h"

namespace tessera::shard {

struct Row {
  // nullopt: any state will do (only the shape is read), or the input is absent.
  std::vector<std::optional<State>> inputs;
  std::vector<State> outputs;
  int factor = -1;    // that is cut; kNoFactor: none; kGroups: both of Rule::grouped
  bool join = false;  // the dimension of Rule::join is cut

  auto operator<=>(const Row&) const = default;
};

// Over how many ranks, and which dynamic sizes (by symbol) can be relied on to divide: those of model inputs,
// which the executor checks.
struct Division {
  int parts = 1;
  std::set<int32_t> symbols;
  bool copies = false;  // pieces may be held by several ranks, where heads are fewer than those

  bool Divides(const Factor& factor, const Cut& cut) const;
};

// One of a node's inputs or outputs.
struct Operand {
  bool output = false;
  int index = 0;
};

class Rows {
 public:
  Rows(const OpView& op, std::optional<Rule> rule, Division division);

  const std::optional<Rule>& rule() const { return rule_; }

  // Everything replicated: always possible, always right.
  Row Replicated() const;

  // The rows in which `operand` has `state`. An input that joins in as Partial beside it is listed as
  // Partial.
  std::vector<Row> With(Operand operand, const State& state) const;

  // The row that cuts `factor` by `cut`; nullopt where an operand cannot be cut so.
  std::optional<Row> Cutting(int factor, const Cut& cut) const;

 private:
  std::vector<Row> Splitting(Operand operand, const State& state) const;
  std::vector<Row> Linear(Operand operand, const State& state) const;
  std::optional<Row> Grouping() const;
  std::vector<Row> WithCopies(Operand operand, const State& state) const;
  std::optional<Row> Joining(Operand operand, const Cut& cut) const;
  std::optional<State> CutShape(const FactorShape& shape, int factor, const Cut& cut, bool& possible) const;
  const FactorShape& ShapeOf(Operand operand) const;

  const OpView op_;
  std::optional<Rule> rule_;
  Division division_;
};

}  // namespace tessera::shard
