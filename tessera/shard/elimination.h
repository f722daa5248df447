// One run of bucket elimination over a cost network: variables go cheapest first, then get their values in
// the opposite order.
#pragma once

#include <cstdint>
#include <queue>
#include <set>
#include <vector>

#include "tessera/shard/cost_network.h"

namespace tessera::shard {

class Elimination {
 public:
  // What is done where a table would pass `most_entries`.
  struct Limits {
    size_t most_entries = CostNetwork::kMostEntries;
    // kStop: the run ends. kSplit: the variable goes from some of its tables at a time, as if each part had a
    // variable of its own: what comes out is a lower bound. kFix: variables keep their values of `incumbent`:
    // what comes out is the best of all solutions that agree with it there.
    enum class Wide { kStop, kSplit, kFix } wide = Wide::kStop;
  };

  Elimination(const CostNetwork& network, const Limits& limits);

  // For kFix: the values to keep, and how often each variable was kept before (others are chosen first).
  void Keep(const std::vector<int>& incumbent, std::vector<int>& kept);

  // False where it stopped.
  bool Run();

  double minimum() const { return constant_; }
  // One choice of values for that minimum; after kSplit the values may cost more.
  std::vector<int> Values() const;

 private:
  using Table = CostNetwork::Table;
  struct Entry {
    double size;
    int variable;
    uint32_t version;
    bool operator<(const Entry& other) const;
  };
  // What `variable` is best set to, for each assignment of `scope`.
  struct Choice {
    int variable = 0;
    std::vector<int> scope;
    std::vector<uint16_t> best;
    std::vector<Table> split;  // used instead where the variable went in parts: the tables that name it
  };

  size_t Domain(int v) const { return static_cast<size_t>(domains_[static_cast<size_t>(v)]); }
  std::vector<size_t> TablesOf(int v) const;
  std::vector<int> Scope(const std::vector<size_t>& tables, int without) const;
  double SizeOf(const std::vector<int>& scope) const;
  void Queue(int v);
  void Touch(const std::vector<int>& scope);

  void Eliminate(int v);
  void EliminateInParts(int v);
  std::vector<std::vector<size_t>> Parts(int v) const;
  // How far an entry of `table` moves when a variable goes to its next value.
  struct Strides {
    size_t own = 0;            // the eliminated variable
    std::vector<size_t> each;  // [variable of the result's scope]; 0: the table does not know it
  };
  Strides StridesIn(const Table& table, int v, const std::vector<int>& scope) const;
  Table Fill(int v, const std::vector<size_t>& used, std::vector<uint16_t>& best) const;
  void Drop(const std::vector<size_t>& tables);
  void Add(Table table);

  int MostEntangled(int v) const;
  void Fix(int v);
  Table Sliced(const Table& table, int v, int value) const;
  int Best(const Choice& choice, const std::vector<int>& values) const;

  Limits limits_;
  const std::vector<int>& domains_;
  std::vector<Table> tables_;
  std::vector<std::set<size_t>> of_variable_;
  std::vector<uint32_t> version_;
  std::vector<bool> done_;
  std::priority_queue<Entry> queue_;
  std::vector<Choice> choices_;
  std::vector<int> incumbent_;
  std::vector<int>* kept_ = nullptr;
  double constant_ = 0;
};

}  // namespace tessera::shard
