#include "tessera/graph/facts.h"

#include <cstring>
#include <numeric>

namespace tessera::graph {
namespace {

using Elements = std::vector<std::optional<int64_t>>;

constexpr size_t kMostElements = 64;  // shape chains are short; weights are not looked at

template <class T>
void Append(const std::string& raw, Elements& elements) {
  for (size_t at = 0; at + sizeof(T) <= raw.size(); at += sizeof(T)) {
    T value;
    std::memcpy(&value, raw.data() + at, sizeof(T));
    elements.emplace_back(static_cast<int64_t>(value));
  }
}

// Integers and truth values; empty for other types.
Elements ElementsOf(const pb::TensorProto& tensor) {
  Elements elements;
  switch (tensor.data_type()) {
    case pb::TensorProto::INT64:
      elements.assign(tensor.int64_data().begin(), tensor.int64_data().end());
      Append<int64_t>(tensor.raw_data(), elements);
      break;
    case pb::TensorProto::INT32:
      elements.assign(tensor.int32_data().begin(), tensor.int32_data().end());
      Append<int32_t>(tensor.raw_data(), elements);
      break;
    case pb::TensorProto::BOOL:
      elements.assign(tensor.int32_data().begin(), tensor.int32_data().end());
      Append<int8_t>(tensor.raw_data(), elements);
      break;
    default:
      break;
  }
  return elements;
}

}  // namespace

Fact Fact::Of(Shape shape) {
  Fact fact;
  fact.has_rank = true;
  fact.shape = std::move(shape);
  return fact;
}

Fact Fact::Of(Shape shape, std::vector<std::optional<int64_t>> elements) {
  Fact fact = Of(std::move(shape));
  fact.has_elements = true;
  fact.elements = std::move(elements);
  return fact;
}

Fact FactOf(const pb::TensorProto& tensor) {
  Fact fact = Fact::Of(Shape(tensor.dims().begin(), tensor.dims().end()));
  const int64_t count =
      std::accumulate(fact.shape.begin(), fact.shape.end(), int64_t{1}, std::multiplies<>());
  if (count > static_cast<int64_t>(kMostElements)) return fact;
  Elements elements = ElementsOf(tensor);
  fact.has_elements = count > 0 && static_cast<int64_t>(elements.size()) == count;
  if (fact.has_elements) fact.elements = std::move(elements);
  return fact;
}

Fact FactOf(const pb::ValueInfoProto& value) {
  const auto& type = value.type().tensor_type();
  if (!value.type().has_tensor_type() || !type.has_shape()) return {};
  Shape shape;
  for (const auto& dim : type.shape().dim())
    shape.push_back(dim.has_dim_value() ? dim.dim_value() : kDynamic);
  return Fact::Of(std::move(shape));
}

Fact Either(const Fact& a, const Fact& b) {
  if (a == b) return a;
  if (!a.has_rank || !b.has_rank || a.shape.size() != b.shape.size()) return {};
  Fact fact = Fact::Of(a.shape);
  for (size_t i = 0; i < fact.shape.size(); ++i) {
    if (a.shape[i] != b.shape[i]) fact.shape[i] = kDynamic;
  }
  return fact;
}

}  // namespace tessera::graph
