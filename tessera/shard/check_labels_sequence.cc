#include <algorithm>
#include <numeric>

#include "tessera/shard/check_families.h"

namespace tessera::shard::check {
namespace {

std::optional<Labels> Recurrent(const Op& op) {
  const bool first = op.node().Int("layout", 0) != 0;
  const std::string at = first ? "b.." : ".b.";
  Labels labels;
  labels.inputs = {at, "", "", "", "b", at, at};
  labels.outputs = {first ? "b..." : "..b.", at, at};
  return labels;
}

// Heads are cut where keys and values have them too; the queries' sequence where no mask counts places.
std::optional<Labels> Attention(const Op& op) {
  if (!op.shaped() || op.in(0) == nullptr || op.in(1) == nullptr) return std::nullopt;
  const bool flat = op.rank() == 3;
  const int64_t q_heads = flat ? op.node().Int("q_num_heads", 0) : op.in(0)->shape[1];
  const int64_t kv_heads = flat ? op.node().Int("kv_num_heads", 0) : op.in(1)->shape[1];
  if (q_heads <= 0 || kv_heads <= 0) return std::nullopt;
  const std::string q = op.node().Int("is_causal", 0) != 0 ? "." : "q";
  Labels labels;
  labels.even = "h";
  labels.units = std::gcd(q_heads, kv_heads);
  const std::string query = flat ? "b" + q + "h" : "bh" + q + ".";
  const std::string key = flat ? "b.h" : "bh..";
  labels.inputs = {query, key, key};
  labels.inputs.resize(op.inputs());
  if (op.in(3) != nullptr) {
    const std::string all = "bh" + q + ".";
    const size_t rank = op.rank(3);
    for (size_t d = 0; d < rank; ++d) labels.inputs[3] += op.in(3)->shape[d] == 1 ? '.' : all[4 - rank + d];
  }
  for (size_t i = 4; i < std::min<size_t>(6, op.inputs()); ++i) labels.inputs[i] = "bh..";
  labels.outputs = {query, "bh..", "bh..", "bh" + q + "."};
  if (flat) labels.divided = {"q_num_heads", "kv_num_heads"};
  return labels;
}

std::optional<Labels> Rotary(const Op& op) {
  if (!op.shaped()) return std::nullopt;
  const bool flat = op.rank() == 3;
  Labels labels;
  const std::string x = flat ? "bsh" : "bhs.";
  const std::string cache = op.in(3) != nullptr ? "" : "bs.";
  labels.inputs = {x, cache, cache, "bs"};
  labels.outputs = {x};
  labels.even = "h";
  labels.units = flat ? op.node().Int("num_heads", 0) : op.in(0)->shape[1];
  if (flat) labels.divided = {"num_heads"};
  return labels;
}

}  // namespace

void AddSequences(Table& table) {
  table["LSTM"] = table["GRU"] = table["RNN"] = Recurrent;
  table["Attention"] = Attention;
  table["RotaryEmbedding"] = Rotary;
}

}  // namespace tessera::shard::check
