#include "tessera/shard/report/folding.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace tessera::shard::report {
namespace {

constexpr size_t kWindow = 4;       // elements in a row that make a place recognisable
constexpr size_t kSmallest = 4;     // period
constexpr size_t kMostPeriods = 8;  // tried, of those that would cover most
constexpr size_t kMostRepeats =
    50;  // by length: a repetition that hides less than 1/50 of the whole is not worth it

class Folder {
 public:
  Folder(const std::vector<uint64_t>& kinds, const std::vector<uint32_t>& crossing)
      : kinds_(kinds), crossing_(crossing), least_hidden_(std::max(kSmallest, kinds.size() / kMostRepeats)) {}

  std::vector<Segment> Run() {
    Fold(0, kinds_.size());
    return std::move(segments_);
  }

 private:
  void Fold(size_t low, size_t high) {
    if (low == high) return;
    const Segment best = Best(low, high);
    if (best.count < 2) {
      segments_.push_back({low, high - low, 1});
      return;
    }
    Fold(low, best.first);
    segments_.push_back(best);
    Fold(best.end(), high);
  }

  // The repetition that hides most.
  Segment Best(size_t low, size_t high) const {
    Segment best{low, high - low, 1};
    size_t hidden = least_hidden_ - 1;
    for (const size_t period : Periods(low, high)) {
      for (size_t start = low; start + period < high;) {
        size_t length = 0;  // of the run of elements that are as the ones a period later
        while (start + length + period < high && kinds_[start + length] == kinds_[start + length + period])
          ++length;
        const size_t count = (length + period) / period;
        if (count >= 2 && (count - 1) * period > hidden) {
          hidden = (count - 1) * period;
          best = {BestStart(start, start + length % period, period), period, count};
        }
        start += length + 1;
      }
    }
    return best;
  }

  size_t BestStart(size_t first, size_t last, size_t period) const {
    size_t best = first;
    for (size_t start = first; start <= last; ++start) {
      if (crossing_[start + period] < crossing_[best + period]) best = start;
    }
    return best;
  }

  // Distances between equal windows, those first that would cover most.
  std::vector<size_t> Periods(size_t low, size_t high) const {
    std::unordered_map<uint64_t, size_t> last;
    std::map<size_t, size_t> votes;
    for (size_t i = low; i + kWindow <= high; ++i) {
      uint64_t hash = 0;
      for (size_t j = 0; j < kWindow; ++j) hash = (hash ^ kinds_[i + j]) * 0x9e3779b97f4a7c15U;
      const auto [place, fresh] = last.try_emplace(hash, i);
      if (!fresh && i - place->second >= kSmallest) ++votes[i - place->second];
      place->second = i;
    }
    std::vector<size_t> periods;
    for (const auto& [period, count] : votes) periods.push_back(period);
    std::stable_sort(periods.begin(), periods.end(), [&](size_t a, size_t b) { return votes[a] > votes[b]; });
    periods.resize(std::min(periods.size(), kMostPeriods));
    return periods;
  }

  const std::vector<uint64_t>& kinds_;
  const std::vector<uint32_t>& crossing_;
  size_t least_hidden_;
  std::vector<Segment> segments_;
};

}  // namespace

std::vector<Segment> Fold(const std::vector<uint64_t>& kinds, const std::vector<uint32_t>& crossing) {
  return Folder(kinds, crossing).Run();
}

}  // namespace tessera::shard::report
