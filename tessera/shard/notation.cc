#include "tessera/shard/notation.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace tessera::shard {
namespace {

using graph::Value;

// One dimension as written: its letters, or a star.
struct Word {
  std::string letters;
  bool star = false;
};
using Words = std::vector<Word>;

struct Marks {
  std::map<char, ReduceOp> reduce;
  std::map<char, bool> whole;
};

struct WrittenRule {
  std::vector<Words> inputs;
  std::vector<Words> outputs;
  Marks marks;
};

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  WrittenRule Read() {
    WrittenRule result;
    std::vector<Words>* side = &result.inputs;
    side->emplace_back();
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == ',') {
        side->emplace_back();
      } else if (c == '-') {
        ++at_;  // the '>' of "->"
        side = &result.outputs;
        side->emplace_back();
      } else if (c == '*') {
        side->back().push_back({"", true});
      } else if (c == '.') {
        side->back().push_back({});
      } else if (c == '(') {
        Compound(side->back(), result.marks);
      } else if (std::isalpha(static_cast<unsigned char>(c)) != 0) {
        side->back().push_back({Letter(result.marks), false});
      }
    }
    return result;
  }

 private:
  // The letter here with the marks behind it; leaves at_ on the last character read.
  std::string Letter(Marks& marks) {
    const char letter = text_[at_];
    while (at_ + 1 < text_.size()) {
      const char mark = text_[at_ + 1];
      if (mark == '!')
        marks.whole[letter] = true;
      else if (mark == '+')
        marks.reduce[letter] = ReduceOp::kSum;
      else if (mark == '>')
        marks.reduce[letter] = ReduceOp::kMax;
      else if (mark == '<')
        marks.reduce[letter] = ReduceOp::kMin;
      else if (mark == '~')
        marks.reduce[letter] = ReduceOp::kAvg;
      else
        break;
      ++at_;
    }
    return {letter};
  }

  void Compound(Words& operand, Marks& marks) {
    Word word;
    for (++at_; at_ < text_.size() && text_[at_] != ')'; ++at_) {
      if (std::isalpha(static_cast<unsigned char>(text_[at_])) != 0) word.letters += Letter(marks);
    }
    if (!word.letters.empty()) operand.push_back(word);
  }

  std::string_view text_;
  size_t at_ = 0;
};

// Gives the words of a text their factors, for one node.
class Binder {
 public:
  Binder(const OpView& op, const WrittenRule& text, const std::map<char, int64_t>& sizes)
      : op_(op), text_(text), sizes_(sizes) {}

  std::optional<Rule> Bind() {
    for (int i = 0; i < op_.inputs(); ++i) {
      if (!Place(op_.has_input(i) ? &op_.input(i) : nullptr, text_.inputs, i, rule_.inputs))
        return std::nullopt;
    }
    placing_outputs_ = true;
    for (int i = 0; i < op_.outputs(); ++i) {
      const bool present = op_.node().outputs[static_cast<size_t>(i)] != graph::kNoValue;
      if (!Place(present ? &op_.output(i) : nullptr, text_.outputs, i, rule_.outputs)) return std::nullopt;
    }
    if (!consistent_) return std::nullopt;
    for (const auto& [letter, index] : letters_) {
      Factor& factor = rule_.factors[static_cast<size_t>(index)];
      if (const auto mark = text_.marks.reduce.find(letter); mark != text_.marks.reduce.end())
        factor.reduce = mark->second;
      factor.whole = factor.whole || text_.marks.whole.contains(letter);
    }
    return rule_;
  }

 private:
  // Where a factor was first seen, to compare sizes by symbol too.
  struct Seen {
    const Value* value = nullptr;
    size_t dim = 0;
  };

  bool Place(const Value* value, const std::vector<Words>& side, int index, std::vector<FactorShape>& into) {
    into.emplace_back();
    if (value == nullptr) return true;
    if (!value->has_shape || static_cast<size_t>(index) >= side.size()) return false;
    const Words& operand = side[static_cast<size_t>(index)];
    FactorShape& dims = into.back();
    dims.resize(value->shape.size());
    if (operand.empty()) return true;
    const auto stars = static_cast<size_t>(
        std::count_if(operand.begin(), operand.end(), [](const Word& w) { return w.star; }));
    const size_t named = operand.size() - stars;
    if (stars > 1 || named > dims.size() || (stars == 0 && named != dims.size())) return false;
    const size_t starred = dims.size() - named;
    size_t dim = 0;
    for (const Word& word : operand) {
      if (word.star) {
        for (size_t i = 0; i < starred; ++i, ++dim) dims[dim] = StarDim(*value, dim, starred - 1 - i);
      } else {
        if (!WordDim(*value, dim, word, dims[dim])) return false;
        ++dim;
      }
    }
    return true;
  }

  // The factor of a starred dimension, `from_right` places from the right end of its star.
  FactorDim StarDim(const Value& value, size_t dim, size_t from_right) {
    if (value.shape[dim] == 1) return {};
    auto [found, fresh] = stars_.try_emplace(from_right, 0);
    if (fresh) {
      found->second = NewFactor(value, dim);
    } else {
      Meet(found->second, value, dim);
    }
    return {found->second};
  }

  bool WordDim(const Value& value, size_t dim, const Word& word, FactorDim& into) {
    if (word.letters.size() <= 1) {
      if (!word.letters.empty()) into = {Letter(word.letters[0], value, dim)};
      return true;
    }
    return CompoundDim(value, dim, word, into);
  }

  bool CompoundDim(const Value& value, size_t dim, const Word& word, FactorDim& into) {
    int64_t rest = value.shape[dim];
    char open = 0;
    for (const char letter : word.letters) {
      const int64_t size = KnownSize(letter);
      if (size == kDynamic) {
        if (open != 0) return false;
        open = letter;
      } else if (rest != kDynamic) {
        if (size == 0 || rest % size != 0) return false;
        rest /= size;
      }
    }
    if (open == 0 && value.shape[dim] != kDynamic && rest != 1) return false;
    for (const char letter : word.letters) {
      auto [found, fresh] = letters_.try_emplace(letter, static_cast<int>(rule_.factors.size()));
      if (fresh) {
        rule_.factors.push_back({letter == open ? rest : KnownSize(letter), -1});
        seen_.push_back({});
      }
      into.push_back(found->second);
    }
    return true;
  }

  int64_t KnownSize(char letter) const {
    if (const auto told = sizes_.find(letter); told != sizes_.end()) return told->second;
    const auto found = letters_.find(letter);
    return found == letters_.end() ? kDynamic : rule_.factors[static_cast<size_t>(found->second)].size;
  }

  int Letter(char letter, const Value& value, size_t dim) {
    auto [found, fresh] = letters_.try_emplace(letter, 0);
    if (fresh) {
      found->second = NewFactor(value, dim);
    } else {
      Meet(found->second, value, dim);
    }
    return found->second;
  }

  int NewFactor(const Value& value, size_t dim) {
    rule_.factors.push_back({value.shape[dim], SymbolOf(value, dim)});
    seen_.push_back({&value, dim});
    return static_cast<int>(rule_.factors.size()) - 1;
  }

  // The factor is met again: the sizes must agree; where that is not certain, it is never cut.
  void Meet(int index, const Value& value, size_t dim) {
    Factor& factor = rule_.factors[static_cast<size_t>(index)];
    const Seen& seen = seen_[static_cast<size_t>(index)];
    if (seen.value == nullptr) {
      if (factor.size != value.shape[dim]) factor.whole = true;
      return;
    }
    if (SameSize(*seen.value, seen.dim, value, dim)) return;
    // An output has the size that the inputs give it, whether inference knew or not.
    if (!placing_outputs_ || factor.size != kDynamic) factor.whole = true;
    if (factor.size != kDynamic && value.shape[dim] != kDynamic && factor.size != value.shape[dim])
      consistent_ = false;
  }

  const OpView& op_;
  const WrittenRule& text_;
  const std::map<char, int64_t>& sizes_;
  Rule rule_;
  std::vector<Seen> seen_;
  std::map<char, int> letters_;
  std::map<size_t, int> stars_;
  bool consistent_ = true;
  bool placing_outputs_ = false;
};

}  // namespace

std::optional<Rule> ReadRule(const OpView& op, std::string_view text, const std::map<char, int64_t>& sizes) {
  const WrittenRule read = Reader(text).Read();
  return Binder(op, read, sizes).Bind();
}

}  // namespace tessera::shard
