#include "tessera/graph/value_codec.h"

#include <algorithm>

#include "tessera/graph/element_types.h"

namespace tessera::graph {
namespace {

using Dimension = pb::TensorShapeProto::Dimension;

void ReadShape(pb::TypeProto::Tensor& tensor, SymbolTable& symbols, Value& value) {
  value.has_shape = tensor.has_shape();
  value.shape.clear();
  value.symbols.clear();
  for (const Dimension& dim : tensor.shape().dim()) {
    value.shape.push_back(dim.has_dim_value() && dim.dim_value() >= 0 ? dim.dim_value() : kDynamic);
    value.symbols.push_back(dim.dim_param().empty() ? -1 : symbols.NumberOf(dim.dim_param()));
  }
}

// Leaves what ReadShape does not take: denotations of dimensions, fields of a newer schema.
void ClearTaken(pb::TypeProto& type) {
  auto& tensor = *type.mutable_tensor_type();
  tensor.clear_elem_type();
  for (auto& dim : *tensor.mutable_shape()->mutable_dim()) dim.clear_value();
  const auto& dims = tensor.shape().dim();
  if (std::all_of(dims.begin(), dims.end(), [](const auto& d) { return d.ByteSizeLong() == 0; })) {
    tensor.mutable_shape()->clear_dim();
  }
  if (tensor.shape().ByteSizeLong() == 0) tensor.clear_shape();
  if (tensor.ByteSizeLong() == 0) type.clear_tensor_type();
}

void WriteShape(const Value& value, const SymbolNames& names, pb::TensorShapeProto& shape) {
  if (static_cast<size_t>(shape.dim_size()) != value.shape.size()) shape.clear_dim();
  for (size_t i = 0; i < value.shape.size(); ++i) {
    const int index = static_cast<int>(i);
    Dimension& dim = index < shape.dim_size() ? *shape.mutable_dim(index) : *shape.add_dim();
    const auto symbol = i < value.symbols.size() ? static_cast<int64_t>(value.symbols[i]) : -1;
    if (value.shape[i] >= 0) {
      dim.set_dim_value(value.shape[i]);
    } else if (symbol >= 0 && symbol < static_cast<int64_t>(names.size())) {
      const std::string& name = names[static_cast<size_t>(symbol)];
      if (!name.empty()) dim.set_dim_param(name);
    }
  }
}

}  // namespace

int32_t SymbolTable::NumberOf(const std::string& name) {
  const auto [found, added] = numbers_.emplace(name, static_cast<int32_t>(names_.size()));
  if (added) names_.push_back(name);
  return found->second;
}

void ReadValueInfo(pb::ValueInfoProto info, SymbolTable& symbols, Value& value) {
  info.clear_name();
  if (info.type().has_tensor_type()) {
    auto& tensor = *info.mutable_type()->mutable_tensor_type();
    const DType type = FromOnnxType(tensor.elem_type());
    if (type != DType::kUndefined) {
      value.type = type;
      ReadShape(tensor, symbols, value);
      ClearTaken(*info.mutable_type());
      if (info.type().ByteSizeLong() == 0) info.clear_type();
    }
  }
  value.rest = info.SerializeAsString();
}

pb::ValueInfoProto WriteValueInfo(const Value& value, const SymbolNames& symbol_names) {
  pb::ValueInfoProto info;
  info.ParseFromString(value.rest);
  info.set_name(value.name);
  if (value.type == DType::kUndefined) return info;
  auto& tensor = *info.mutable_type()->mutable_tensor_type();
  tensor.set_elem_type(ToOnnxType(value.type));
  if (value.has_shape) {
    WriteShape(value, symbol_names, *tensor.mutable_shape());
  } else {
    tensor.clear_shape();
  }
  return info;
}

}  // namespace tessera::graph
