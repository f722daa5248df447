#include "tessera/shard/cost_network.h"

#include <algorithm>
#include <cstdint>
#include <queue>
#include <set>
#include <utility>

namespace tessera::shard {

int CostNetwork::AddVariable(int domain) {
  domains_.push_back(domain);
  return variables() - 1;
}

void CostNetwork::AddUnary(int variable, const std::vector<double>& costs) {
  tables_.push_back({{variable}, costs});
}

void CostNetwork::AddPair(int a, int b, const std::vector<double>& costs) {
  if (a < b) {
    tables_.push_back({{a, b}, costs});
    return;
  }
  const auto size_a = static_cast<size_t>(domains_[static_cast<size_t>(a)]);
  const auto size_b = static_cast<size_t>(domains_[static_cast<size_t>(b)]);
  std::vector<double> turned(costs.size());
  for (size_t i = 0; i < size_a; ++i) {
    for (size_t j = 0; j < size_b; ++j) turned[j * size_a + i] = costs[i * size_b + j];
  }
  tables_.push_back({{b, a}, std::move(turned)});
}

// One run: variables are eliminated cheapest first, then given values in the opposite order.
class Elimination {
 public:
  explicit Elimination(const CostNetwork& network) : domains_(network.domains_), tables_(network.tables_) {
    of_variable_.resize(domains_.size());
    version_.resize(domains_.size());
    done_.resize(domains_.size());
    for (size_t t = 0; t < tables_.size(); ++t) {
      for (const int v : tables_[t].scope) of_variable_[static_cast<size_t>(v)].insert(t);
    }
  }

  Result<CostNetwork::Solution> Run(size_t most_entries) {
    for (int v = 0; v < static_cast<int>(domains_.size()); ++v) Queue(v);
    while (!queue_.empty()) {
      const Entry next = queue_.top();
      queue_.pop();
      const auto v = static_cast<size_t>(next.variable);
      if (done_[v] || next.version != version_[v]) continue;
      if (next.size > static_cast<double>(most_entries)) {
        return Fail(Code::kUnsupported,
                    "the search would need a table of {:.0f} entries, at most {} are allowed", next.size,
                    most_entries);
      }
      Eliminate(next.variable);
    }
    return Backtrack();
  }

 private:
  using Table = CostNetwork::Table;
  struct Entry {
    double size;
    int variable;
    uint32_t version;
    bool operator<(const Entry& other) const {
      return std::tie(size, variable) > std::tie(other.size, other.variable);
    }
  };
  // What `variable` is best set to, for each assignment of `scope`.
  struct Choice {
    int variable;
    std::vector<int> scope;
    std::vector<uint16_t> best;
  };

  size_t Domain(int v) const { return static_cast<size_t>(domains_[static_cast<size_t>(v)]); }

  // The other variables that share a table with `v`.
  std::vector<int> Neighbours(int v) const {
    std::vector<int> scope;
    for (const size_t t : of_variable_[static_cast<size_t>(v)]) {
      scope.insert(scope.end(), tables_[t].scope.begin(), tables_[t].scope.end());
    }
    std::sort(scope.begin(), scope.end());
    scope.erase(std::unique(scope.begin(), scope.end()), scope.end());
    scope.erase(std::remove(scope.begin(), scope.end(), v), scope.end());
    return scope;
  }

  void Queue(int v) {
    double size = static_cast<double>(Domain(v));
    for (const int n : Neighbours(v)) size *= static_cast<double>(Domain(n));
    queue_.push({size, v, version_[static_cast<size_t>(v)]});
  }

  // Walks all assignments of `scope` (and, inside, of the eliminated variable), keeping each table's position
  // by strides.
  void Eliminate(int v) {
    done_[static_cast<size_t>(v)] = true;
    const std::vector<int> scope = Neighbours(v);
    std::vector<size_t> used(of_variable_[static_cast<size_t>(v)].begin(),
                             of_variable_[static_cast<size_t>(v)].end());
    size_t entries = 1;
    for (const int n : scope) entries *= Domain(n);
    Table result{scope, std::vector<double>(entries)};
    Choice choice{v, scope, std::vector<uint16_t>(entries)};
    Fill(v, used, result, choice);
    for (const size_t t : used) {
      for (const int n : tables_[t].scope) of_variable_[static_cast<size_t>(n)].erase(t);
      tables_[t] = {};
    }
    choices_.push_back(std::move(choice));
    if (scope.empty()) {
      constant_ += result.costs[0];
      return;
    }
    tables_.push_back(std::move(result));
    for (const int n : scope) {
      of_variable_[static_cast<size_t>(n)].insert(tables_.size() - 1);
      ++version_[static_cast<size_t>(n)];
      Queue(n);
    }
  }

  void Fill(int v, const std::vector<size_t>& used, Table& result, Choice& choice) const {
    const size_t width = result.scope.size();
    std::vector<std::vector<size_t>> strides(used.size(), std::vector<size_t>(width));
    std::vector<size_t> own(used.size());
    for (size_t u = 0; u < used.size(); ++u) {
      const Table& table = tables_[used[u]];
      size_t stride = 1;
      for (size_t i = table.scope.size(); i-- > 0;) {
        if (table.scope[i] == v) {
          own[u] = stride;
        } else {
          const auto at = std::lower_bound(result.scope.begin(), result.scope.end(), table.scope[i]);
          strides[u][static_cast<size_t>(at - result.scope.begin())] = stride;
        }
        stride *= Domain(table.scope[i]);
      }
    }
    std::vector<size_t> digits(width);
    std::vector<size_t> position(used.size());
    for (size_t entry = 0; entry < result.costs.size(); ++entry) {
      double best = 0;
      uint16_t best_value = 0;
      for (size_t x = 0; x < Domain(v); ++x) {
        double sum = 0;
        for (size_t u = 0; u < used.size(); ++u) sum += tables_[used[u]].costs[position[u] + x * own[u]];
        if (x == 0 || sum < best) {
          best = sum;
          best_value = static_cast<uint16_t>(x);
        }
      }
      result.costs[entry] = std::min(best, kForbidden);
      choice.best[entry] = best_value;
      for (size_t i = width; i-- > 0;) {
        const bool carry = ++digits[i] == Domain(result.scope[i]);
        for (size_t u = 0; u < used.size(); ++u) {
          position[u] += strides[u][i];
          if (carry) position[u] -= strides[u][i] * Domain(result.scope[i]);
        }
        if (!carry) break;
        digits[i] = 0;
      }
    }
  }

  CostNetwork::Solution Backtrack() const {
    CostNetwork::Solution solution;
    solution.cost = constant_;
    solution.values.resize(domains_.size());
    for (size_t c = choices_.size(); c-- > 0;) {
      size_t entry = 0;
      for (const int n : choices_[c].scope) {
        entry = entry * Domain(n) + static_cast<size_t>(solution.values[static_cast<size_t>(n)]);
      }
      solution.values[static_cast<size_t>(choices_[c].variable)] = choices_[c].best[entry];
    }
    return solution;
  }

  const std::vector<int>& domains_;
  std::vector<Table> tables_;
  std::vector<std::set<size_t>> of_variable_;
  std::vector<uint32_t> version_;
  std::vector<bool> done_;
  std::priority_queue<Entry> queue_;
  std::vector<Choice> choices_;
  double constant_ = 0;
};

Result<CostNetwork::Solution> CostNetwork::Minimize(size_t most_entries) const {
  return Elimination(*this).Run(most_entries);
}

}  // namespace tessera::shard
