#include "tessera/shard/check_op.h"

#include <numeric>

namespace tessera::shard::check {

using graph::Value;

bool Same(const Value& a, size_t da, const Value& b, size_t db) {
  if (a.shape[da] != kDynamic || b.shape[db] != kDynamic) return a.shape[da] == b.shape[db];
  return da < a.symbols.size() && db < b.symbols.size() && a.symbols[da] >= 0 &&
         a.symbols[da] == b.symbols[db];
}

std::string Fresh(size_t rank, char first) {
  std::string text(rank, first);
  std::iota(text.begin(), text.end(), first);
  return text;
}

std::string Whole(std::string text, const std::set<size_t>& dims) {
  for (const size_t d : dims) {
    if (d < text.size()) text[d] = '.';
  }
  return text;
}

std::string Aligned(const Value& operand, const Value& out, const std::string& letters) {
  std::string text;
  if (operand.shape.size() > out.shape.size()) return text;
  const size_t skip = out.shape.size() - operand.shape.size();
  for (size_t d = 0; d < operand.shape.size(); ++d)
    text += Same(operand, d, out, d + skip) ? letters[d + skip] : '.';
  return text;
}

std::optional<Labels> Like(const Op& op, const std::set<size_t>& whole) {
  if (op.in(0) == nullptr || !op.in(0)->has_shape) return std::nullopt;
  const std::string text = Whole(Fresh(op.rank()), whole);
  Labels labels;
  labels.inputs = {text};
  labels.outputs = {text};
  return labels;
}

std::set<size_t> Range(size_t from, size_t to) {
  std::set<size_t> dims;
  for (; from < to; ++from) dims.insert(from);
  return dims;
}

}  // namespace tessera::shard::check
