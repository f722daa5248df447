#include "tessera/plan/engine_layers.h"

namespace tessera::plan {
namespace {

// What stands between `before` and `after` in the text; nothing unless both are there.
std::optional<std::string_view> Between(std::string_view text, std::string_view before,
                                        std::string_view after) {
  const size_t start = text.find(before);
  if (start == text.npos) return std::nullopt;
  text.remove_prefix(start + before.size());
  const size_t end = text.find(after);
  if (end == text.npos) return std::nullopt;
  return text.substr(0, end);
}

// Takes a suffix like "_U25" or "_19" off: `mark`, then digits only.
bool RemoveNumbered(std::string_view& name, std::string_view mark) {
  const size_t digits = name.find_last_not_of("0123456789");
  if (digits == name.npos || digits + 1 == name.size()) return false;
  const std::string_view rest = name.substr(0, digits + 1);
  if (!rest.ends_with(mark)) return false;
  name = rest.substr(0, rest.size() - mark.size());
  return true;
}

// "val_155_U25_myl0_19" -> "val_155": the number of the layer and of its graph, and of the unit in it.
std::string_view NodeName(std::string_view name) {
  std::string_view shorter = name;
  if (RemoveNumbered(shorter, "_") && RemoveNumbered(shorter, "_myl")) name = shorter;
  RemoveNumbered(name, "_U");
  return name;
}

}  // namespace

std::optional<EngineCollective> CollectiveOfLayer(std::string_view line) {
  const auto name = Between(line, "Name: ", ", LayerType: ");
  const auto kind = Between(line, ", LayerType: ", ",");
  if (!name || !kind || !(kind->starts_with("comm_") || *kind == "DistCollective")) return std::nullopt;
  const std::string_view node = NodeName(*name);
  return EngineCollective{std::string(node), std::string(*kind), node.find(" [profile ") == node.npos};
}

}  // namespace tessera::plan
