#include "tessera/shard/report/html.h"

#include <cstdint>

namespace tessera::shard::report {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kLeftOut = "\xE2\x80\xA6";  // ...

bool Continues(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The number of bytes of the UTF-8 character that `text` starts with; 0 = none does.
size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t length = first < 0x80         ? 1
                        : (first >> 5) == 6  ? 2
                        : (first >> 4) == 14 ? 3
                        : (first >> 3) == 30 ? 4
                                             : 0;
  if (length == 0 || length > text.size()) return 0;
  uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
  for (size_t i = 1; i < length; ++i) {
    if (!Continues(text[i])) return 0;
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3FU);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xD800 && code <= 0xDFFF;
  return code < kLeast[length] || code > 0x10FFFF || surrogate ? 0 : length;
}

}  // namespace

std::string Escape(std::string_view text) {
  std::string escaped;
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const char c = text[0];
    if (length == 0 || (length == 1 && (static_cast<unsigned char>(c) < 0x20 || c == 0x7F)))
      escaped += kReplacement;
    else if (c == '&')
      escaped += "&amp;";
    else if (c == '<')
      escaped += "&lt;";
    else if (c == '>')
      escaped += "&gt;";
    else if (c == '"')
      escaped += "&quot;";
    else if (c == '\'')
      escaped += "&#39;";
    else
      escaped += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return escaped;
}

std::string Shortened(std::string_view name, size_t most) {
  if (name.size() <= most) return Escape(name);
  size_t head = most / 3;
  size_t tail = name.size() - (most - 1 - head);
  while (head > 0 && Continues(name[head])) --head;
  while (tail < name.size() && Continues(name[tail])) ++tail;
  return Escape(name.substr(0, head)) + std::string(kLeftOut) + Escape(name.substr(tail));
}

std::string FillIn(std::string_view page, const std::map<std::string, std::string>& parts) {
  std::string filled;
  for (;;) {
    const size_t open = page.find("{{");
    const size_t close = open == page.npos ? page.npos : page.find("}}", open);
    if (close == page.npos) return filled.append(page);
    filled.append(page.substr(0, open));
    const auto part = parts.find(std::string(page.substr(open + 2, close - open - 2)));
    if (part != parts.end()) filled.append(part->second);
    page.remove_prefix(close + 2);
  }
}

std::string Thousands(size_t number) {
  std::string digits = std::to_string(number);
  for (size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace tessera::shard::report
