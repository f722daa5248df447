#include "tessera/graph/openvino/shape_transfer.h"

#include <algorithm>
#include <openvino/core/symbol.hpp>

#include "tessera/base/log.h"
#include "tessera/base/openvino/element_types.h"

namespace tessera::graph {
namespace {

ov::PartialShape ToPartial(const Shape& shape) {
  ov::PartialShape partial;
  for (int64_t d : shape) partial.push_back(d < 0 ? ov::Dimension::dynamic() : ov::Dimension(d));
  return partial;
}

}  // namespace

SymbolNumbers::SymbolNumbers(SymbolNames names,
                             const std::unordered_map<int32_t, std::shared_ptr<ov::Symbol>>& known)
    : names_(std::move(names)) {
  for (const auto& [number, symbol] : known) {
    // Two declared names found to be equal: the first stays, in every run.
    const auto [found, added] = numbers_.emplace(ov::symbol::ancestor_of(symbol), number);
    if (!added) found->second = std::min(found->second, number);
  }
}

int32_t SymbolNumbers::NumberOf(const std::shared_ptr<ov::Symbol>& symbol) {
  if (symbol == nullptr) return -1;
  const auto [found, added] =
      numbers_.emplace(ov::symbol::ancestor_of(symbol), static_cast<int32_t>(names_.size()));
  if (added) names_.emplace_back();
  return found->second;
}

void Transfer(const ov::Output<ov::Node>& output, SymbolNumbers& numbers, Value& value) {
  if (value.type == DType::kUndefined) value.type = FromOpenVino(output.get_element_type());
  const ov::PartialShape& inferred = output.get_partial_shape();
  if (inferred.rank().is_dynamic()) return;
  const bool declared = value.has_shape && value.shape.size() == inferred.size();
  if (value.has_shape && !(declared && inferred.compatible(ToPartial(value.shape)))) {
    TESSERA_LOG(kWarning, "value '{}' is declared as {}, inferred as {}", value.name, ToString(value.shape),
                inferred.to_string());
  }
  if (!declared) {
    value.shape.assign(inferred.size(), kDynamic);
    value.symbols.assign(inferred.size(), -1);
  }
  value.has_shape = true;
  for (size_t i = 0; i < inferred.size(); ++i) {
    if (inferred[i].is_static()) {
      value.shape[i] = inferred[i].get_length();
    } else if (value.shape[i] < 0) {
      const int32_t symbol = numbers.NumberOf(inferred[i].get_symbol());
      if (symbol >= 0) value.symbols[i] = symbol;
    }
    if (value.shape[i] >= 0) value.symbols[i] = -1;
  }
}

}  // namespace tessera::graph
