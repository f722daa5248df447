#include "tessera/shard/report/table.h"

#include <fmt/format.h>

namespace tessera::shard::report {

HtmlTable::HtmlTable(std::vector<std::string> header) {
  rows_ = "<thead><tr>";
  for (std::string& name : header) {
    numbers_.push_back(!name.empty() && name[0] == '#');
    if (numbers_.back()) name.erase(0, 1);
    rows_ += fmt::format("<th{}>{}</th>", numbers_.back() ? " class=\"num\"" : "", name);
  }
  rows_ += "</tr></thead>\n";
}

void HtmlTable::Add(const std::vector<std::string>& cells, const std::string& row_class) {
  rows_ += row_class.empty() ? "<tr>" : fmt::format("<tr class=\"{}\">", row_class);
  for (size_t i = 0; i < cells.size(); ++i)
    rows_ += fmt::format("<td{}>{}</td>", numbers_.at(i) ? " class=\"num\"" : "", cells[i]);
  rows_ += "</tr>\n";
}

std::string HtmlTable::ToString() const {
  return "<div class=\"scroll\"><table>" + rows_ + "</table></div>\n";
}

std::string Bar(const std::vector<BarPart>& parts, double full) {
  std::string bar = "<span class=\"bar\">";
  for (const BarPart& part : parts) {
    if (part.value <= 0 || full <= 0) continue;
    bar += fmt::format("<span class=\"{}\" style=\"width:{:.2f}%\" title=\"{}\"></span>", part.kind,
                       100 * part.value / full, part.title);
  }
  return bar + "</span>";
}

}  // namespace tessera::shard::report
