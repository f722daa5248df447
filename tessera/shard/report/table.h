// Tables and bars of the page.
#pragma once

#include <string>
#include <vector>

namespace tessera::shard::report {

// Cells are HTML. A header that starts with '#' is a column of numbers: to the right.
class HtmlTable {
 public:
  explicit HtmlTable(std::vector<std::string> header);
  void Add(const std::vector<std::string>& cells, const std::string& row_class = "");
  std::string ToString() const;

 private:
  std::vector<bool> numbers_;
  std::string rows_;
};

struct BarPart {
  std::string kind;   // class in the style sheet
  double value = 0;   // of the same unit as the bar's full length
  std::string title;  // HTML
};

// Parts side by side; `full` is the length of the whole bar.
std::string Bar(const std::vector<BarPart>& parts, double full);

}  // namespace tessera::shard::report
