#include "tessera/shard/elimination.h"

#include <algorithm>
#include <tuple>
#include <utility>

namespace tessera::shard {
namespace {

// The place of an assignment in a table; `values` by variable.
size_t Position(const std::vector<int>& scope, const std::vector<int>& domains,
                const std::vector<int>& values) {
  size_t position = 0;
  for (const int n : scope) {
    const auto i = static_cast<size_t>(n);
    position = position * static_cast<size_t>(domains[i]) + static_cast<size_t>(values[i]);
  }
  return position;
}

}  // namespace

bool Elimination::Entry::operator<(const Entry& other) const {
  return std::tie(size, variable) > std::tie(other.size, other.variable);
}

Elimination::Elimination(const CostNetwork& network, const Limits& limits)
    : limits_(limits), domains_(network.domains_), tables_(network.tables_) {
  of_variable_.resize(domains_.size());
  version_.resize(domains_.size());
  done_.resize(domains_.size());
  for (size_t t = 0; t < tables_.size(); ++t) {
    for (const int v : tables_[t].scope) of_variable_[static_cast<size_t>(v)].insert(t);
  }
}

void Elimination::Keep(const std::vector<int>& incumbent, std::vector<int>& kept) {
  incumbent_ = incumbent;
  kept_ = &kept;
}

bool Elimination::Run() {
  for (int v = 0; v < static_cast<int>(domains_.size()); ++v) Queue(v);
  while (!queue_.empty()) {
    const Entry next = queue_.top();
    queue_.pop();
    const auto v = static_cast<size_t>(next.variable);
    if (done_[v] || next.version != version_[v]) continue;
    if (next.size <= static_cast<double>(limits_.most_entries)) {
      Eliminate(next.variable);
    } else if (limits_.wide == Limits::Wide::kSplit) {
      EliminateInParts(next.variable);
    } else if (limits_.wide == Limits::Wide::kFix) {
      Fix(MostEntangled(next.variable));  // which puts its neighbours into the queue again
    } else {
      return false;
    }
  }
  return true;
}

std::vector<size_t> Elimination::TablesOf(int v) const {
  const auto& tables = of_variable_[static_cast<size_t>(v)];
  return {tables.begin(), tables.end()};
}

// The variables of these tables, ascending.
std::vector<int> Elimination::Scope(const std::vector<size_t>& tables, int without) const {
  std::vector<int> scope;
  for (const size_t t : tables) scope.insert(scope.end(), tables_[t].scope.begin(), tables_[t].scope.end());
  std::sort(scope.begin(), scope.end());
  scope.erase(std::unique(scope.begin(), scope.end()), scope.end());
  scope.erase(std::remove(scope.begin(), scope.end(), without), scope.end());
  return scope;
}

double Elimination::SizeOf(const std::vector<int>& scope) const {
  double size = 1;
  for (const int n : scope) size *= static_cast<double>(Domain(n));
  return size;
}

void Elimination::Queue(int v) {
  const double size = static_cast<double>(Domain(v)) * SizeOf(Scope(TablesOf(v), v));
  queue_.push({size, v, version_[static_cast<size_t>(v)]});
}

void Elimination::Touch(const std::vector<int>& scope) {
  for (const int n : scope) {
    ++version_[static_cast<size_t>(n)];
    Queue(n);
  }
}

void Elimination::Drop(const std::vector<size_t>& tables) {
  for (const size_t t : tables) {
    for (const int n : tables_[t].scope) of_variable_[static_cast<size_t>(n)].erase(t);
    tables_[t] = {};
  }
}

void Elimination::Add(Table table) {
  if (table.scope.empty()) {
    constant_ += table.costs[0];
    return;
  }
  for (const int n : table.scope) of_variable_[static_cast<size_t>(n)].insert(tables_.size());
  tables_.push_back(std::move(table));
}

void Elimination::Eliminate(int v) {
  done_[static_cast<size_t>(v)] = true;
  const std::vector<size_t> used = TablesOf(v);
  Choice choice{v, Scope(used, v), {}, {}};
  Table result = Fill(v, used, choice.best);
  const std::vector<int> scope = choice.scope;
  choices_.push_back(std::move(choice));
  Drop(used);
  Add(std::move(result));
  Touch(scope);
}

// The minimum over a sum is at least the sum of the parts' minima: the bound.
void Elimination::EliminateInParts(int v) {
  done_[static_cast<size_t>(v)] = true;
  const std::vector<size_t> all = TablesOf(v);
  const std::vector<int> scope = Scope(all, v);
  Choice choice{v, {}, {}, {}};
  for (const size_t t : all) choice.split.push_back(tables_[t]);
  for (const auto& part : Parts(v)) {
    std::vector<uint16_t> unused;
    Table result = Fill(v, part, unused);
    Drop(part);
    Add(std::move(result));
  }
  choices_.push_back(std::move(choice));
  Touch(scope);
}

// The variable's tables, largest first, each in the first part that it fits into.
std::vector<std::vector<size_t>> Elimination::Parts(int v) const {
  std::vector<size_t> order = TablesOf(v);
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return tables_[a].costs.size() > tables_[b].costs.size(); });
  std::vector<std::vector<size_t>> parts;
  for (const size_t t : order) {
    const auto fits = [&](std::vector<size_t> part) {
      part.push_back(t);
      return SizeOf(Scope(part, -1)) <= static_cast<double>(limits_.most_entries);
    };
    const auto part = std::find_if(parts.begin(), parts.end(), fits);
    if (part == parts.end())
      parts.push_back({t});
    else
      part->push_back(t);
  }
  return parts;
}

Elimination::Strides Elimination::StridesIn(const Table& table, int v, const std::vector<int>& scope) const {
  Strides strides{0, std::vector<size_t>(scope.size())};
  size_t stride = 1;
  for (size_t i = table.scope.size(); i-- > 0;) {
    if (table.scope[i] == v) {
      strides.own = stride;
    } else {
      const auto at = std::lower_bound(scope.begin(), scope.end(), table.scope[i]);
      strides.each[static_cast<size_t>(at - scope.begin())] = stride;
    }
    stride *= Domain(table.scope[i]);
  }
  return strides;
}

// Walks all assignments of the other variables (and, inside, of the eliminated one), keeping each table's
// position by strides.
Elimination::Table Elimination::Fill(int v, const std::vector<size_t>& used,
                                     std::vector<uint16_t>& best) const {
  Table result;
  result.scope = Scope(used, v);
  size_t entries = 1;
  for (const int n : result.scope) entries *= Domain(n);
  result.costs.resize(entries);
  best.resize(entries);
  std::vector<Strides> strides;
  for (const size_t u : used) strides.push_back(StridesIn(tables_[u], v, result.scope));
  std::vector<size_t> digits(result.scope.size());
  std::vector<size_t> position(used.size());
  for (size_t entry = 0; entry < entries; ++entry) {
    double least = 0;
    for (size_t x = 0; x < Domain(v); ++x) {
      double sum = 0;
      for (size_t u = 0; u < used.size(); ++u)
        sum += tables_[used[u]].costs[position[u] + x * strides[u].own];
      if (x == 0 || sum < least) {
        least = sum;
        best[entry] = static_cast<uint16_t>(x);
      }
    }
    result.costs[entry] = std::min(least, kForbidden);
    for (size_t i = digits.size(); i-- > 0;) {
      const bool carry = ++digits[i] == Domain(result.scope[i]);
      for (size_t u = 0; u < used.size(); ++u) {
        position[u] += strides[u].each[i];
        if (carry) position[u] -= strides[u].each[i] * Domain(result.scope[i]);
      }
      if (!carry) break;
      digits[i] = 0;
    }
  }
  return result;
}

// Of a variable and its neighbours, the one kept least often so far, then the one with the most neighbours.
int Elimination::MostEntangled(int v) const {
  std::vector<int> around = Scope(TablesOf(v), -1);
  const auto rank = [&](int n) {
    return std::make_tuple((*kept_)[static_cast<size_t>(n)],
                           -static_cast<int64_t>(Scope(TablesOf(n), n).size()), n);
  };
  return *std::min_element(around.begin(), around.end(), [&](int a, int b) { return rank(a) < rank(b); });
}

void Elimination::Fix(int v) {
  const auto index = static_cast<size_t>(v);
  done_[index] = true;
  ++(*kept_)[index];
  const std::vector<size_t> all = TablesOf(v);
  const std::vector<int> scope = Scope(all, v);
  std::vector<Table> sliced;
  for (const size_t t : all) sliced.push_back(Sliced(tables_[t], v, incumbent_[index]));
  Drop(all);
  for (Table& table : sliced) Add(std::move(table));
  choices_.push_back({v, {}, {static_cast<uint16_t>(incumbent_[index])}, {}});
  Touch(scope);
}

Elimination::Table Elimination::Sliced(const Table& table, int v, int value) const {
  Table result;
  size_t inner = 1;
  for (size_t i = table.scope.size(); table.scope[--i] != v;) inner *= Domain(table.scope[i]);
  for (const int n : table.scope) {
    if (n != v) result.scope.push_back(n);
  }
  for (size_t at = static_cast<size_t>(value) * inner; at < table.costs.size(); at += Domain(v) * inner) {
    result.costs.insert(result.costs.end(), table.costs.begin() + static_cast<std::ptrdiff_t>(at),
                        table.costs.begin() + static_cast<std::ptrdiff_t>(at + inner));
  }
  return result;
}

std::vector<int> Elimination::Values() const {
  std::vector<int> values(domains_.size());
  for (size_t c = choices_.size(); c-- > 0;)
    values[static_cast<size_t>(choices_[c].variable)] = Best(choices_[c], values);
  return values;
}

int Elimination::Best(const Choice& choice, const std::vector<int>& values) const {
  if (choice.split.empty()) return choice.best[Position(choice.scope, domains_, values)];
  std::vector<int> trial = values;
  int best = 0;
  double least = 0;
  for (int x = 0; x < domains_[static_cast<size_t>(choice.variable)]; ++x) {
    trial[static_cast<size_t>(choice.variable)] = x;
    double sum = 0;
    for (const Table& table : choice.split) sum += table.costs[Position(table.scope, domains_, trial)];
    if (x > 0 && sum >= least) continue;
    least = sum;
    best = x;
  }
  return best;
}

}  // namespace tessera::shard
