// Operators along the last dimensions: normalisations, reductions.
#include <algorithm>
#include <numeric>

#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/ops.h"
#include "tests/nvinfer_standin/rows.h"

namespace tessera::standin {
namespace {

bool IsLast(size_t axis, const Shape& shape) {
  return axis + 1 == shape.size();
}

Result<void> HandleSoftmax(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", -1), in.shape.size()));
  if (!IsLast(axis, in.shape))
    return Fail(Code::kUnsupported, "softmax along axis {} of {}", axis, ToString(in.shape));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, in.type, in.shape));
  return EmitSoftmax(builder, in, out);
}

Result<void> EmitNormalization(Builder& builder, const Normalization& how) {
  const Tensor in = builder.Input(0);
  const Tensor scale = builder.Input(1);
  if (scale.count() != (how.channels > 0 ? how.channels : how.columns) || scale.type != in.type) {
    return Fail(Code::kUnsupported, "scale {} {} of rows of {} {}", DTypeName(scale.type),
                ToString(scale.shape), how.columns, DTypeName(in.type));
  }
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, in.type, in.shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  TRY_ASSIGN(const void* factor, builder.OnDevice(scale));
  const void* bias = nullptr;
  if (how.center && builder.HasInput(2)) {
    TRY_ASSIGN(bias, builder.OnDevice(builder.Input(2)));
  }
  builder.AddKernel([=, to = out.data.get()](cudaStream_t stream) {
    return LaunchNormalize(how, type, from, factor, bias, to, stream);
  });
  return {};
}

template <bool center>
Result<void> HandleNormalization(Builder& builder) {
  const Shape shape = builder.Input(0).shape;
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", -1), shape.size()));
  const float epsilon = builder.node().Float("epsilon", 1e-5F);
  return EmitNormalization(builder,
                           {Product(shape, 0, axis), Product(shape, axis, shape.size()), 0, epsilon, center});
}

// [n,c,..]: a row is an image's channel.
Result<void> HandleInstanceNormalization(Builder& builder) {
  const Shape shape = builder.Input(0).shape;
  const float epsilon = builder.node().Float("epsilon", 1e-5F);
  return EmitNormalization(builder,
                           {shape[0] * shape[1], Product(shape, 2, shape.size()), shape[1], epsilon, true});
}

// The reduced axes moved to the end, so that each result is a row's.
struct Rows {
  Tensor tensor;
  Shape kept;  // the result's shape
  int64_t rows = 1;
  int64_t columns = 1;
};

Result<Rows> ToRows(Builder& builder, const Tensor& in, const std::vector<int64_t>& axes, bool keep_dims) {
  std::vector<bool> goes(in.shape.size(), axes.empty());
  for (int64_t axis : axes) {
    TRY_ASSIGN(const size_t at, Axis(axis, in.shape.size()));
    goes[at] = true;
  }
  Rows rows;
  std::vector<int64_t> permutation;
  for (size_t d = 0; d < goes.size(); ++d) {
    if (goes[d]) {
      rows.columns *= in.shape[d];
      if (keep_dims) rows.kept.push_back(1);
      continue;
    }
    permutation.push_back(static_cast<int64_t>(d));
    rows.rows *= in.shape[d];
    rows.kept.push_back(in.shape[d]);
  }
  for (size_t d = 0; d < goes.size(); ++d) {
    if (goes[d]) permutation.push_back(static_cast<int64_t>(d));
  }
  rows.tensor = in;
  if (!std::is_sorted(permutation.begin(), permutation.end())) {
    TRY_ASSIGN(rows.tensor, EmitTranspose(builder, in, permutation));
  }
  return rows;
}

Result<std::vector<int64_t>> ReducedAxes(Builder& builder) {
  if (builder.HasInput(1)) return builder.Values(1);
  return builder.node().Ints("axes");
}

template <Reduce op>
Result<void> HandleReduce(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> axes, ReducedAxes(builder));
  if (axes.empty() && builder.node().Int("noop_with_empty_axes", 0) != 0)
    return builder.SetView(0, in, in.shape);
  TRY_ASSIGN(const Rows rows, ToRows(builder, in, axes, builder.node().Int("keepdims", 1) != 0));
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, in.type, rows.kept));
  TRY_ASSIGN(const void* from, builder.OnDevice(rows.tensor));
  builder.AddKernel([=, to = out.data.get(), n = rows.rows, columns = rows.columns](cudaStream_t stream) {
    return LaunchReduce(op, type, from, to, n, columns, stream);
  });
  return {};
}

Result<void> HandleArgMax(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const Rows rows,
             ToRows(builder, in, {builder.node().Int("axis", 0)}, builder.node().Int("keepdims", 1) != 0));
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, DType::kInt64, rows.kept));
  TRY_ASSIGN(const void* from, builder.OnDevice(rows.tensor));
  builder.AddKernel([=, to = static_cast<int64_t*>(out.data.get()), n = rows.rows,
                     columns = rows.columns](cudaStream_t stream) {
    return LaunchTop(type, from, nullptr, to, n, columns, 1, stream);
  });
  return {};
}

Result<void> HandleTopK(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", -1), in.shape.size()));
  TRY_ASSIGN(const std::vector<int64_t> count, builder.Values(1));
  if (!IsLast(axis, in.shape) || builder.node().Int("largest", 1) == 0) {
    return Fail(Code::kUnsupported, "the smallest, or along axis {} of {}", axis, ToString(in.shape));
  }
  Shape shape = in.shape;
  shape[axis] = count.at(0);
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const Tensor values, builder.NewOutput(0, in.type, shape));
  TRY_ASSIGN(const Tensor indices, builder.NewOutput(1, DType::kInt64, shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  builder.AddKernel([=, rows = Product(in.shape, 0, axis), columns = in.shape[axis]](cudaStream_t stream) {
    return LaunchTop(type, from, values.data.get(), static_cast<int64_t*>(indices.data.get()), rows, columns,
                     count[0], stream);
  });
  return {};
}

Result<void> HandleCumSum(Builder& builder) {
  const Tensor in = builder.Input(0);
  TRY_ASSIGN(const std::vector<int64_t> axes, builder.Values(1));
  TRY_ASSIGN(const size_t axis, Axis(axes.at(0), in.shape.size()));
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, in.type, in.shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  const bool exclusive = builder.node().Int("exclusive", 0) != 0;
  const bool reverse = builder.node().Int("reverse", 0) != 0;
  builder.AddKernel([=, to = out.data.get(), outer = Product(in.shape, 0, axis), size = in.shape[axis],
                     inner = Product(in.shape, axis + 1, in.shape.size())](cudaStream_t stream) {
    return LaunchCumSum(type, from, to, outer, size, inner, exclusive, reverse, stream);
  });
  return {};
}

}  // namespace

Result<void> EmitSoftmax(Builder& builder, const Tensor& in, const Tensor& out) {
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  builder.AddKernel([=, to = out.data.get(), rows = Product(in.shape, 0, in.shape.size() - 1),
                     columns = in.shape.back()](cudaStream_t stream) {
    return LaunchSoftmax(type, from, to, rows, columns, stream);
  });
  return {};
}

void AddRows(Handlers& handlers) {
  handlers["Softmax"] = HandleSoftmax;
  handlers["LayerNormalization"] = HandleNormalization<true>;
  handlers["RMSNormalization"] = HandleNormalization<false>;
  handlers["SimplifiedLayerNormalization"] = HandleNormalization<false>;
  handlers["InstanceNormalization"] = HandleInstanceNormalization;
  handlers["ReduceSum"] = HandleReduce<Reduce::kSum>;
  handlers["ReduceMean"] = HandleReduce<Reduce::kMean>;
  handlers["ReduceMax"] = HandleReduce<Reduce::kMax>;
  handlers["ReduceMin"] = HandleReduce<Reduce::kMin>;
  handlers["ReduceProd"] = HandleReduce<Reduce::kProd>;
  handlers["ArgMax"] = HandleArgMax;
  handlers["TopK"] = HandleTopK;
  handlers["CumSum"] = HandleCumSum;
}

}  // namespace tessera::standin
