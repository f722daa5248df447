#include "tessera/shard/cut.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace tessera::shard {
namespace {

int64_t Times(int64_t a, int64_t b) {
  return a == kDynamic || b == kDynamic ? kDynamic : a * b;
}

int64_t Product(std::vector<int64_t>::const_iterator from, std::vector<int64_t>::const_iterator to) {
  int64_t product = 1;
  for (; from != to; ++from) product = Times(product, *from);
  return product;
}

void Append(std::vector<Run>& runs, Run run) {
  if (!runs.empty() && runs.back().size == run.size) {
    runs.back().count += run.count;
  } else {
    runs.push_back(run);
  }
}

// The runs that cover the first `size` elements; nullopt when a segment crosses that border.
std::optional<std::vector<Run>> Prefix(const std::vector<Run>& runs, int64_t size) {
  std::vector<Run> prefix;
  for (const Run& run : runs) {
    if (size == 0) break;
    if (size % run.size != 0 && size < run.size * run.count) return std::nullopt;
    const int64_t count = run.count == kDynamic ? size / run.size : std::min(run.count, size / run.size);
    if (count == 0) return std::nullopt;
    prefix.push_back({run.size, count});
    size -= run.size * count;
  }
  if (size != 0) return std::nullopt;
  return prefix;
}

// The cut of the factor between `outer` and `inner` that gives `cut` in the whole dimension.
std::optional<Cut> Unlift(const Cut& cut, int64_t size, int64_t outer, int64_t inner) {
  if (cut.one_segment()) return outer == 1 ? std::optional(Cut()) : std::nullopt;
  if (outer == 1 && inner == 1) return cut;
  if (size == kDynamic || inner == kDynamic) return std::nullopt;
  auto prefix = Prefix(cut.runs(), size * inner);
  if (!prefix) return std::nullopt;
  for (Run& run : *prefix) {
    if (run.size % inner != 0) return std::nullopt;
    run.size /= inner;
  }
  Cut factor = Cut::Of(*prefix, size);
  return factor.Lift(size, outer, inner) == cut ? std::optional(factor) : std::nullopt;
}

}  // namespace

Cut Cut::Of(const std::vector<Run>& runs, int64_t size) {
  Cut cut;
  for (const Run& run : runs) Append(cut.runs_, run);
  const bool whole =
      cut.runs_.size() == 1 && cut.runs_[0].count == 1 && (size == kDynamic || cut.runs_[0].size == size);
  if (whole) cut.runs_.clear();
  return cut;
}

Cut Cut::WithCopies(int copies) const {
  Cut other = *this;
  other.copies_ = copies;
  return other;
}

bool Cut::Divides(int64_t size, int parts) const {
  if (parts % copies_ != 0) return false;
  const int pieces = Pieces(parts);
  if (one_segment()) return size > 0 && size % pieces == 0;
  for (const Run& run : runs_) {
    if (run.size == 0 || run.size % pieces != 0) return false;
  }
  return true;
}

std::vector<int64_t> Cut::Indices(int64_t size, int parts, int rank) const {
  std::vector<int64_t> indices;
  int64_t start = 0;
  const auto segment = [&](int64_t length) {
    const int64_t piece = length / Pieces(parts);
    for (int64_t i = 0; i < piece; ++i) indices.push_back(start + rank / copies_ * piece + i);
    start += length;
  };
  if (one_segment()) {
    segment(size);
    return indices;
  }
  for (const Run& run : runs_) {
    const int64_t count = run.count == kDynamic ? size / run.size : run.count;
    for (int64_t i = 0; i < count; ++i) segment(run.size);
  }
  return indices;
}

std::optional<Cut> Cut::Lift(int64_t size, int64_t outer, int64_t inner) const {
  if (copies_ > 1) {
    const auto once = WithCopies(1).Lift(size, outer, inner);
    return once ? std::optional(once->WithCopies(copies_)) : std::nullopt;
  }
  if (plain() && outer == 1) return Cut();
  if (outer == 1 && inner == 1) return *this;
  if (inner == kDynamic || size == kDynamic) return std::nullopt;
  std::vector<Run> scaled;
  for (const Run& run : plain() ? std::vector<Run>{{size, 1}} : runs_)
    scaled.push_back({run.size * inner, run.count});
  const bool uniform = scaled.size() == 1;
  if (outer == kDynamic || scaled[0].count == kDynamic) {
    if (!uniform) return std::nullopt;
    return Of({{scaled[0].size, kDynamic}}, kDynamic);
  }
  const int64_t total = size * inner * outer;
  if (uniform) return Of({{scaled[0].size, scaled[0].count * outer}}, total);
  std::vector<Run> repeated;
  for (int64_t i = 0; i < outer; ++i) repeated.insert(repeated.end(), scaled.begin(), scaled.end());
  return Of(repeated, total);
}

std::string Cut::ToString() const {
  if (copies_ > 1) return fmt::format("{}*{}", WithCopies(1).ToString(), copies_);
  if (plain()) return "plain";
  std::vector<std::string> parts;
  for (const Run& run : runs_) {
    parts.push_back(run.count == kDynamic ? fmt::format("*x{}", run.size)
                                          : fmt::format("{}x{}", run.count, run.size));
  }
  return fmt::format("{}", fmt::join(parts, "+"));
}

std::optional<FactorCut> CutOfFactor(const Cut& cut, const std::vector<int64_t>& sizes, int parts) {
  for (size_t i = 0; i < sizes.size(); ++i) {
    if (sizes[i] == 1) continue;
    const auto here = sizes.begin() + static_cast<std::ptrdiff_t>(i);
    auto factor =
        Unlift(cut.WithCopies(1), sizes[i], Product(sizes.begin(), here), Product(here + 1, sizes.end()));
    if (factor) factor = factor->WithCopies(cut.copies());
    // Whether a dynamic size divides is for the caller to know.
    const bool open = factor && factor->plain() && sizes[i] == kDynamic;
    if (factor && (open || factor->Divides(sizes[i], parts))) return FactorCut{static_cast<int>(i), *factor};
  }
  return std::nullopt;
}

}  // namespace tessera::shard
