#include "tessera/cli/text.h"

#include <algorithm>

#include <fmt/format.h>

namespace tessera::cli {

std::string Wrap(const std::string& text, size_t width, size_t indent) {
  std::string wrapped;
  size_t column = 0;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find_first_of(" \n", at), text.size());
    if (column > indent && column + 1 + (end - at) > width) {
      wrapped += '\n' + std::string(indent, ' ');
      column = indent;
    } else if (at > 0 && text[at - 1] == ' ') {
      wrapped += ' ';
      ++column;
    }
    wrapped.append(text, at, end - at);
    column += end - at;
    if (end < text.size() && text[end] == '\n') {
      wrapped += '\n' + std::string(indent, ' ');
      column = indent;
    }
    at = end + 1;
  }
  return wrapped;
}

std::string Table::ToString(size_t indent) const {
  std::vector<size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_) {
    for (size_t i = 0; i < widths.size(); ++i) widths[i] = std::max(widths[i], row.at(i).size());
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line(indent, ' ');
    line += fmt::format("{:<{}}", row[0], widths[0]);
    for (size_t i = 1; i < widths.size(); ++i) line += fmt::format("  {:>{}}", row[i], widths[i]);
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

}  // namespace tessera::cli
