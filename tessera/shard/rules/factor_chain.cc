#include "tessera/shard/rules/factor_chain.h"

#include <algorithm>
#include <numeric>

namespace tessera::shard {
namespace {

using graph::Value;

// What is left of one side's dimensions while factors are taken off both ends.
class Side {
 public:
  explicit Side(const Value& value)
      : value_(value), left_(value.shape), major_(value.shape.size()), minor_(value.shape.size()) {
    end_ = static_cast<int>(left_.size());
    Skip();
  }

  bool empty() const { return begin_ >= end_; }
  int count() const { return end_ - begin_; }
  int at(bool from_left) const { return from_left ? begin_ : end_ - 1; }
  int64_t left(int dim) const { return left_[static_cast<size_t>(dim)]; }
  bool touched(int dim) const { return left(dim) != value_.shape[static_cast<size_t>(dim)]; }
  // Of a dynamic dimension, none of which was taken off yet.
  int32_t symbol(int dim) const {
    return left(dim) == kDynamic ? SymbolOf(value_, static_cast<size_t>(dim)) : -1;
  }
  const Value& value() const { return value_; }

  // Takes a factor of `size` off the left (major) or right (minor) end of `dim`.
  void Take(int dim, int factor, int64_t size, bool from_left) {
    auto& taken = (from_left ? major_ : minor_)[static_cast<size_t>(dim)];
    taken.insert(from_left ? taken.end() : taken.begin(), factor);
    int64_t& left = left_[static_cast<size_t>(dim)];
    left = left == kDynamic ? 1 : left / size;
    Skip();
  }

  // Dimensions not taken off yet, and the factors of every dimension in order.
  std::vector<int> Middle() const {
    std::vector<int> dims;
    for (int d = begin_; d < end_; ++d) {
      if (left(d) != 1) dims.push_back(d);
    }
    return dims;
  }
  FactorShape Factors(const std::vector<std::vector<int>>& middle) const {
    FactorShape shape(left_.size());
    for (size_t d = 0; d < shape.size(); ++d) {
      shape[d] = major_[d];
      shape[d].insert(shape[d].end(), middle[d].begin(), middle[d].end());
      shape[d].insert(shape[d].end(), minor_[d].begin(), minor_[d].end());
    }
    return shape;
  }
  size_t rank() const { return left_.size(); }

 private:
  void Skip() {
    while (begin_ < end_ && left(begin_) == 1) ++begin_;
    while (begin_ < end_ && left(end_ - 1) == 1) --end_;
  }

  const Value& value_;
  Shape left_;
  std::vector<std::vector<int>> major_;
  std::vector<std::vector<int>> minor_;
  int begin_ = 0;
  int end_ = 0;
};

// The size of the next common factor at one end; nullopt where there is none.
std::optional<int64_t> Common(const Side& from, const Side& to, bool from_left) {
  const int a = from.at(from_left);
  const int b = to.at(from_left);
  if (from.left(a) == kDynamic || to.left(b) == kDynamic) {
    if (from.touched(a) || to.touched(b)) return std::nullopt;
    const bool same = SameSize(from.value(), static_cast<size_t>(a), to.value(), static_cast<size_t>(b));
    return same ? std::optional(kDynamic) : std::nullopt;
  }
  const int64_t common = std::gcd(from.left(a), to.left(b));
  return common > 1 ? std::optional(common) : std::nullopt;
}

int NewFactor(Rule& rule, int64_t size, int32_t symbol, bool whole = false) {
  rule.factors.push_back({size, symbol, ReduceOp::kNone, whole});
  return static_cast<int>(rule.factors.size()) - 1;
}

void TakeCommon(Rule& rule, Side& from, Side& to, bool from_left) {
  while (!from.empty() && !to.empty()) {
    const auto size = Common(from, to, from_left);
    if (!size) return;
    const int dim = from.at(from_left);
    const int factor = NewFactor(rule, *size, from.symbol(dim));
    from.Take(from.at(from_left), factor, *size, from_left);
    to.Take(to.at(from_left), factor, *size, from_left);
  }
}

}  // namespace

Rule FactorChain(const Value& from_value, const Value& to_value) {
  Rule rule;
  Side from(from_value);
  Side to(to_value);
  TakeCommon(rule, from, to, true);
  TakeCommon(rule, from, to, false);
  std::vector<std::vector<int>> from_middle(from.rank());
  std::vector<std::vector<int>> to_middle(to.rank());
  const std::vector<int> a = from.Middle();
  const std::vector<int> b = to.Middle();
  // One dimension made of several, or the other way round: its factors are theirs. Where neither side is one
  // dimension, what is in the middle of each is one factor that is never cut, so that the others keep their
  // places.
  const bool one_to = b.size() == 1 && !a.empty();
  const bool one_from = a.size() == 1 && !b.empty();
  const auto compound = [&](const Side& side, const std::vector<int>& dims,
                            std::vector<std::vector<int>>& parts, std::vector<int>& whole) {
    for (const int d : dims) {
      const int factor = NewFactor(rule, side.left(d), side.symbol(d));
      parts[static_cast<size_t>(d)] = {factor};
      whole.push_back(factor);
    }
  };
  if (one_to) {
    compound(from, a, from_middle, to_middle[static_cast<size_t>(b[0])]);
  } else if (one_from) {
    compound(to, b, to_middle, from_middle[static_cast<size_t>(a[0])]);
  } else {
    for (const int d : a) from_middle[static_cast<size_t>(d)] = {NewFactor(rule, from.left(d), -1, true)};
    for (const int d : b) to_middle[static_cast<size_t>(d)] = {NewFactor(rule, to.left(d), -1, true)};
  }
  rule.inputs = {from.Factors(from_middle)};
  rule.outputs = {to.Factors(to_middle)};
  return rule;
}

}  // namespace tessera::shard
