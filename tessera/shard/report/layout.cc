#include "tessera/shard/report/layout.h"

#include <algorithm>
#include <limits>
#include <numeric>

namespace tessera::shard::report {
namespace {

using Lists = std::vector<std::vector<int>>;

class Layout {
 public:
  Layout(int nodes, const std::vector<std::pair<int, int>>& edges)
      : above_(static_cast<size_t>(nodes)), below_(above_.size()), places_(above_.size()) {
    for (const auto& [from, to] : edges) {
      above_[static_cast<size_t>(to)].push_back(from);
      below_[static_cast<size_t>(from)].push_back(to);
    }
  }

  std::vector<Place> Run() {
    ChooseRows();
    Lists rows;
    for (size_t n = 0; n < places_.size(); ++n) {
      const auto row = static_cast<size_t>(places_[n].row);
      rows.resize(std::max(rows.size(), row + 1));
      rows[row].push_back(static_cast<int>(n));
    }
    for (auto& row : rows) PlaceRow(row, above_);
    for (auto row = rows.rbegin(); row != rows.rend(); ++row) PlaceRow(*row, below_);
    for (auto& row : rows) PlaceRow(row, above_);
    return std::move(places_);
  }

 private:
  Place& At(int n) { return places_[static_cast<size_t>(n)]; }

  // As high as can be; then down to the readers where that shortens more edges than it lengthens.
  void ChooseRows() {
    for (size_t n = 0; n < places_.size(); ++n) {
      for (const int from : above_[n]) places_[n].row = std::max(places_[n].row, At(from).row + 1);
    }
    for (size_t n = places_.size(); n-- > 0;) {
      if (below_[n].empty() || below_[n].size() < above_[n].size()) continue;
      int lowest = std::numeric_limits<int>::max();
      for (const int to : below_[n]) lowest = std::min(lowest, At(to).row - 1);
      if (below_[n].size() > above_[n].size() || above_[n].size() == 1) places_[n].row = lowest;
    }
  }

  // Each node at the middle of its neighbours on one side, one width apart, the row as a whole not moved
  // aside.
  void PlaceRow(std::vector<int>& row, const Lists& neighbours) {
    for (const int n : row) {
      const auto& near = neighbours[static_cast<size_t>(n)];
      if (near.empty()) continue;
      At(n).column = std::accumulate(near.begin(), near.end(), 0.0,
                                     [&](double sum, int m) { return sum + At(m).column; }) /
                     static_cast<double>(near.size());
    }
    std::stable_sort(row.begin(), row.end(), [&](int a, int b) { return At(a).column < At(b).column; });
    double moved = 0;
    for (size_t i = 0; i < row.size(); ++i) {
      const double wanted = At(row[i]).column;
      if (i > 0) At(row[i]).column = std::max(wanted, At(row[i - 1]).column + 1);
      moved += At(row[i]).column - wanted;
    }
    for (const int n : row) At(n).column -= moved / static_cast<double>(row.size());
  }

  Lists above_;
  Lists below_;
  std::vector<Place> places_;
};

}  // namespace

std::vector<Place> LayOut(int nodes, const std::vector<std::pair<int, int>>& edges) {
  return Layout(nodes, edges).Run();
}

}  // namespace tessera::shard::report
