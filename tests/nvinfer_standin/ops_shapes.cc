// Operators that only give a tensor another shape, and those whose result is known while building.
#include <algorithm>

#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

void SetHost(Builder& builder, DType type, Shape shape, std::vector<int64_t> values) {
  builder.SetOutput(0, Tensor{type, std::move(shape), nullptr, std::move(values), {}});
}

Result<void> HandleIdentity(Builder& builder) {
  return builder.SetView(0, builder.Input(0), builder.Input(0).shape);
}

Result<void> HandleShape(Builder& builder) {
  const Shape& shape = builder.Input(0).shape;
  const auto dims = static_cast<int64_t>(shape.size());
  auto clamp = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + dims : at, 0, dims); };
  const int64_t start = clamp(builder.node().Int("start", 0));
  const int64_t end = std::max(start, clamp(builder.node().Int("end", dims)));
  std::vector<int64_t> values(shape.begin() + start, shape.begin() + end);
  SetHost(builder, DType::kInt64, {end - start}, std::move(values));
  return {};
}

Result<void> HandleSize(Builder& builder) {
  SetHost(builder, DType::kInt64, {}, {builder.Input(0).count()});
  return {};
}

Result<void> HandleReshape(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(Shape shape, builder.Values(1));
  const bool zero_is_zero = builder.node().Int("allowzero", 0) != 0;
  int64_t known = 1;
  for (size_t d = 0; d < shape.size(); ++d) {
    if (shape[d] == 0 && !zero_is_zero) shape[d] = in.shape.at(d);
    if (shape[d] >= 0) known *= shape[d];
  }
  for (int64_t& size : shape) {
    if (size == -1) size = known == 0 ? 0 : in.count() / known;
  }
  return builder.SetView(0, in, std::move(shape));
}

Result<std::vector<int64_t>> AxesOf(Builder& builder) {
  if (builder.HasInput(1)) return builder.Values(1);
  return builder.node().Ints("axes");
}

Result<void> HandleUnsqueeze(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> axes, AxesOf(builder));
  std::vector<bool> is_new(in.shape.size() + axes.size(), false);
  for (int64_t axis : axes) {
    TRY_ASSIGN(const size_t at, Axis(axis, is_new.size()));
    is_new[at] = true;
  }
  Shape shape;
  size_t next = 0;
  for (const bool fresh : is_new) shape.push_back(fresh ? 1 : in.shape[next++]);
  return builder.SetView(0, in, std::move(shape));
}

Result<void> HandleSqueeze(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> axes, AxesOf(builder));
  std::vector<bool> goes(in.shape.size(), false);
  for (int64_t axis : axes) {
    TRY_ASSIGN(const size_t at, Axis(axis, goes.size()));
    goes[at] = true;
  }
  Shape shape;
  for (size_t d = 0; d < in.shape.size(); ++d) {
    const bool drop = axes.empty() ? in.shape[d] == 1 : goes[d];
    if (!drop) shape.push_back(in.shape[d]);
  }
  return builder.SetView(0, in, std::move(shape));
}

Result<void> HandleFlatten(Builder& builder) {
  const Tensor in = builder.Input(0);
  const int64_t axis = builder.node().Int("axis", 1);
  const size_t cut = static_cast<size_t>(axis < 0 ? axis + static_cast<int64_t>(in.shape.size()) : axis);
  return builder.SetView(0, in, {Product(in.shape, 0, cut), Product(in.shape, cut, in.shape.size())});
}

Result<void> HandleRange(Builder& builder) {
  TRY_ASSIGN(const std::vector<int64_t> start, builder.Values(0));
  TRY_ASSIGN(const std::vector<int64_t> limit, builder.Values(1));
  TRY_ASSIGN(const std::vector<int64_t> delta, builder.Values(2));
  if (delta[0] == 0) return Fail(Code::kInvalidArgument, "a range of step 0");
  std::vector<int64_t> values;
  for (int64_t v = start[0]; delta[0] > 0 ? v < limit[0] : v > limit[0]; v += delta[0]) values.push_back(v);
  const auto count = static_cast<int64_t>(values.size());
  SetHost(builder, builder.Input(0).type, {count}, std::move(values));
  return {};
}

Result<void> HandleConstantOfShape(Builder& builder) {
  TRY_ASSIGN(const Shape shape, builder.Values(0));
  const graph::Attribute* value = builder.node().Find("value");
  const bool has_value = value != nullptr && value->tensor != nullptr;
  const DType type = has_value ? value->tensor->type : DType::kFloat32;
  if (IsInteger(type) || type == DType::kBool) {
    const int64_t fill =
        has_value ? graph::AsInt64(*value->tensor).value_or(std::vector<int64_t>{0}).at(0) : 0;
    SetHost(builder, type, shape, std::vector<int64_t>(static_cast<size_t>(ElementCount(shape)), fill));
    return {};
  }
  std::vector<std::byte> bytes(static_cast<size_t>(BitsOf(type)) / 8);
  if (has_value) std::copy(value->tensor->bytes.begin(), value->tensor->bytes.end(), bytes.begin());
  TRY_ASSIGN(const Tensor element, builder.Constant(type, Shape(shape.size(), 1), bytes));
  builder.SetStrided(0, element, shape, std::vector<int64_t>(shape.size(), 0), 0);  // read at every place
  return {};
}

}  // namespace

void AddShapes(Handlers& handlers) {
  handlers["Identity"] = HandleIdentity;
  handlers["Dropout"] = HandleIdentity;
  handlers["Shape"] = HandleShape;
  handlers["Size"] = HandleSize;
  handlers["Reshape"] = HandleReshape;
  handlers["Unsqueeze"] = HandleUnsqueeze;
  handlers["Squeeze"] = HandleSqueeze;
  handlers["Flatten"] = HandleFlatten;
  handlers["Range"] = HandleRange;
  handlers["ConstantOfShape"] = HandleConstantOfShape;
}

}  // namespace tessera::standin
