#include "tessera/shard/check_elements.h"

#include <algorithm>

namespace tessera::shard::check {

using Integers = std::vector<int64_t>;

std::vector<Integers> ElementsOfRanks(const Cut& cut, int64_t size, int parts) {
  if (cut.copies() < 1 || parts % cut.copies() != 0) return {};
  const int pieces = parts / cut.copies();
  std::vector<Integers> different(static_cast<size_t>(pieces));
  std::vector<Run> runs = cut.runs();
  if (runs.empty()) runs = {{size, 1}};
  int64_t at = 0;
  for (const Run& run : runs) {
    for (int64_t i = 0; i < run.count && run.size % pieces == 0; ++i) {
      for (Integers& piece : different) {
        for (int64_t j = 0; j < run.size / pieces; ++j) piece.push_back(at++);
      }
    }
  }
  std::vector<Integers> ranks;
  for (const Integers& piece : different) ranks.insert(ranks.end(), static_cast<size_t>(cut.copies()), piece);
  return ranks;
}

std::optional<Cut> CutOfElements(const std::vector<Integers>& held, int64_t size) {
  const auto other = std::ranges::find_if(held, [&](const Integers& rank) { return rank != held[0]; });
  const auto copies = other - held.begin();
  const auto parts = static_cast<int64_t>(held.size()) / copies;
  std::vector<Run> runs;
  const Integers& first = held[0];
  for (size_t i = 0; i < first.size();) {
    size_t end = i + 1;
    while (end < first.size() && first[end] == first[end - 1] + 1) ++end;
    runs.push_back({static_cast<int64_t>(end - i) * parts, 1});
    i = end;
  }
  const Cut cut = Cut::Of(runs, size).WithCopies(static_cast<int>(copies));
  if (ElementsOfRanks(cut, size, static_cast<int>(held.size())) != held) return std::nullopt;
  return cut;
}

}  // namespace tessera::shard::check
