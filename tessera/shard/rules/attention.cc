// Attention-23: heads pass (with grouped queries a query head is (kv head, member)), keys and head size stay
// whole.
#include "tessera/shard/notation.h"
#include "tessera/shard/rules/families.h"

namespace tessera::shard {
namespace {

// The mask broadcasts to (b, h, s, t): a word for each of its dimensions.
// Its last dimension counts the keys, those of the past included.
std::string MaskWords(const OpView& op, const std::string& heads) {
  if (!op.has_input(3) || !op.input(3).has_shape) return "";
  const std::vector<std::string> words{"b ", heads + " ", "s ", op.has_input(4) ? "u " : "t "};
  const Shape& shape = op.input(3).shape;
  if (shape.size() > words.size()) return "";
  std::string text;
  for (size_t i = 0; i < shape.size(); ++i)
    text += shape[i] == 1 ? ". " : words[words.size() - shape.size() + i];
  return text;
}

std::optional<Rule> Attention(const OpView& op) {
  if (!op.input(0).has_shape || !op.input(1).has_shape) return std::nullopt;
  const bool flat = op.input(0).shape.size() == 3;
  const int64_t q_heads = flat ? op.node().Int("q_num_heads", 0) : op.input(0).shape[1];
  const int64_t kv_heads = flat ? op.node().Int("kv_num_heads", 0) : op.input(1).shape[1];
  if (q_heads <= 0 || kv_heads <= 0 || q_heads % kv_heads != 0) return std::nullopt;
  const std::string heads = q_heads == kv_heads ? "k" : "(k g)";
  // With a causal mask the place in the sequence matters: the queries stay whole.
  const std::string s = op.node().Int("is_causal", 0) != 0 ? "s!" : "s";
  const std::string mask = MaskWords(op, heads);
  const std::string group = q_heads == kv_heads ? "" : " g";
  std::string text;
  if (flat) {
    text = "b " + s + " (k" + group + " d!), b t! (k d!), b t! (k e), " + mask +
           ", b k p! d!, b k p! e -> b " + s + " (k" + group + " e), b k u! d!, b k u! e";
  } else {
    text = "b " + heads + " " + s + " d!, b k t! d!, b k t! e, " + mask + ", b k p! d!, b k p! e -> b " +
           heads + " " + s + " e, b k u! d!, b k u! e";
  }
  std::map<char, int64_t> sizes{{'k', kv_heads}, {'g', q_heads / kv_heads}};
  auto rule = ReadRule(op, text, sizes);
  if (!rule) return rule;
  const FactorDim& query_heads = rule->inputs[0][flat ? 2 : 1];
  if (!group.empty()) rule->grouped = {query_heads[0], query_heads[1]};
  if (flat) {
    const int kv = rule->inputs[1][2].front();
    rule->edits = {{Edit::Kind::kDivideAttribute, 0, kv, "q_num_heads"},
                   {Edit::Kind::kDivideAttribute, 0, kv, "kv_num_heads"}};
    // The members of each group cut: the keys and values stay whole.
    const FactorDim& queries = rule->inputs[0][2];
    if (!group.empty()) rule->edits.push_back({Edit::Kind::kDivideAttribute, 0, queries[1], "q_num_heads"});
    if (!group.empty()) {
      rule->edits.push_back({Edit::Kind::kDivideAttribute, 0, kGroups, "q_num_heads"});
      rule->edits.push_back({Edit::Kind::kDivideAttribute, 1, kGroups, "kv_num_heads"});
    }
  }
  rule->contraction = true;
  return rule;
}

// RotaryEmbedding-23: heads, batch and sequence pass; with position ids the caches are tables looked up in.
std::optional<Rule> Rotary(const OpView& op) {
  if (!op.input(0).has_shape) return std::nullopt;
  const bool flat = op.input(0).shape.size() == 3;
  const int64_t heads = op.node().Int("num_heads", 0);
  if (flat && heads <= 0) return std::nullopt;
  const std::string x = flat ? "b s (h d!)" : "b h s d!";
  const std::string cache = op.has_input(3) ? "p! e!" : "b s e!";
  auto rule = ReadRule(op, x + ", " + cache + ", " + cache + ", b s -> " + x,
                       flat ? std::map<char, int64_t>{{'h', heads}} : std::map<char, int64_t>{});
  if (!rule || !flat) return rule;
  rule->edits = {{Edit::Kind::kDivideAttribute, 0, rule->inputs[0][2].front(), "num_heads"}};
  return rule;
}

}  // namespace

void AddAttention(RuleTable& table) {
  table["Attention"] = Attention;
  table["RotaryEmbedding"] = Rotary;
}

}  // namespace tessera::shard
