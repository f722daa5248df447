#include "tessera/shard/check_labels.h"

#include "tessera/shard/check_families.h"

namespace tessera::shard {
namespace {

check::Table MakeTable() {
  check::Table table;
  check::AddElementwise(table);
  check::AddContractions(table);
  check::AddMovements(table);
  check::AddIndexing(table);
  check::AddAlongAxes(table);
  check::AddImages(table);
  check::AddQuantized(table);
  check::AddSequences(table);
  return table;
}

}  // namespace

std::optional<Labels> LabelsOf(const graph::Graph& model, const graph::Node& node) {
  static const auto table = MakeTable();
  if (!node.domain.empty()) return std::nullopt;
  const auto found = table.find(node.op_type);
  return found == table.end() ? std::nullopt : found->second(check::Op(model, node));
}

}  // namespace tessera::shard
