// Text for people: lines and tables; sizes and times: see base/format.h.
#pragma once

#include <string>
#include <vector>

#include "tessera/base/format.h"

namespace tessera::cli {

// `text` with its lines broken at blanks so that none is longer than `width`, unless a word is. Every line
// but the first starts with `indent` spaces. Lines that the text has stay lines.
std::string Wrap(const std::string& text, size_t width, size_t indent = 0);

// Rows under a header, columns aligned: the first to the left, the others to the right.
class Table {
 public:
  explicit Table(std::vector<std::string> header) { rows_.push_back(std::move(header)); }
  void Add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }  // as long as the header
  // Every line starts with `indent` spaces and ends with a newline.
  std::string ToString(size_t indent = 2) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace tessera::cli
