// Operators that take elements from where indexes say.
#include <algorithm>

#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

Result<void> HandleGather(Builder& builder) {
  const Tensor data = builder.Input(0);
  const Tensor indices = builder.Input(1);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", 0), data.shape.size()));
  Shape shape(data.shape.begin(), data.shape.begin() + static_cast<int64_t>(axis));
  shape.insert(shape.end(), indices.shape.begin(), indices.shape.end());
  shape.insert(shape.end(), data.shape.begin() + static_cast<int64_t>(axis) + 1, data.shape.end());
  const int64_t outer = Product(data.shape, 0, axis);
  const int64_t size = data.shape[axis];
  const int64_t inner = Product(data.shape, axis + 1, data.shape.size());
  const int64_t count = indices.count();
  if (data.host && indices.host) {
    Tensor out{data.type, shape, nullptr, std::vector<int64_t>(), {}};
    for (int64_t i = 0; i < outer * count * inner; ++i) {
      int64_t at = (*indices.host)[static_cast<size_t>(i / inner % count)];
      if (at < 0) at += size;
      out.host->push_back(
          data.host->at(static_cast<size_t>((i / inner / count * size + at) * inner + i % inner)));
    }
    builder.SetOutput(0, out);
    return {};
  }
  TRY_ASSIGN(const ElementType index_type, ToElement(indices.type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, data.type, shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(data));
  TRY_ASSIGN(const void* where, builder.OnDevice(indices));
  builder.AddKernel([=, element = data.element(), to = out.data.get()](cudaStream_t stream) {
    return LaunchGather(element, from, index_type, where, to, outer, size, count, inner, stream);
  });
  return {};
}

Result<void> HandleCompress(Builder& builder) {
  const Tensor& in = builder.Input(0);
  const Tensor& keep = builder.Input(1);
  if (builder.node().Int("axis", -1) != 0 || keep.shape != Shape{in.shape.at(0)}) {
    return Fail(Code::kUnsupported, "a compress that is not of whole rows: {} by {}", ToString(in.shape),
                ToString(keep.shape));
  }
  return builder.SetPicked(in, keep);
}

// `in` with the places `indices` of one axis.
Result<Tensor> EmitTake(Builder& builder, const Tensor& in, size_t axis, std::vector<int64_t> indices) {
  const auto count = static_cast<int64_t>(indices.size());
  const Tensor where{DType::kInt64, {count}, nullptr, std::move(indices), {}};
  Shape shape = in.shape;
  shape[axis] = count;
  TRY_ASSIGN(Tensor out, builder.Scratch(in.type, shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  TRY_ASSIGN(const void* places, builder.OnDevice(where));
  builder.AddKernel([=, element = in.element(), to = out.data.get(), outer = Product(in.shape, 0, axis),
                     size = in.shape[axis],
                     inner = Product(in.shape, axis + 1, in.shape.size())](cudaStream_t stream) {
    return LaunchGather(element, from, ElementType::kInt64, places, to, outer, size, count, inner, stream);
  });
  return out;
}

// The nearest place below, by whole factors: what image models grow with.
Result<void> HandleResize(Builder& builder) {
  const graph::Node& node = builder.node();
  if (node.String("mode", "nearest") != "nearest" || node.String("nearest_mode", "") != "floor" ||
      node.String("coordinate_transformation_mode", "") != "asymmetric") {
    return Fail(Code::kUnsupported, "a resize that is not nearest, floor and asymmetric");
  }
  TRY_ASSIGN(const std::vector<float> scales, builder.Floats(2));
  Tensor out = builder.Input(0);
  for (size_t axis = 0; axis < out.shape.size(); ++axis) {
    if (scales.at(axis) == 1) continue;
    std::vector<int64_t> places(static_cast<size_t>(static_cast<float>(out.shape[axis]) * scales[axis]));
    for (size_t i = 0; i < places.size(); ++i)
      places[i] = static_cast<int64_t>(static_cast<float>(i) / scales[axis]);
    TRY_ASSIGN(out, EmitTake(builder, out, axis, std::move(places)));
  }
  return builder.SetView(0, out, out.shape);
}

Result<const int64_t*> Int64OnDevice(Builder& builder, const Tensor& indices) {
  if (indices.type != DType::kInt64)
    return Fail(Code::kUnsupported, "indices of {}", DTypeName(indices.type));
  TRY_ASSIGN(const void* where, builder.OnDevice(indices));
  return static_cast<const int64_t*>(where);
}

Result<void> HandleGatherElements(Builder& builder) {
  const Tensor data = builder.Input(0);
  const Tensor indices = builder.Input(1);
  TRY_ASSIGN(const size_t axis, Axis(builder.node().Int("axis", 0), data.shape.size()));
  for (size_t d = 0; d < data.shape.size(); ++d) {
    if (d != axis && data.shape[d] != indices.shape[d]) {
      return Fail(Code::kUnsupported, "data {} and indices {} differ beside axis {}", ToString(data.shape),
                  ToString(indices.shape), axis);
    }
  }
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, data.type, indices.shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(data));
  TRY_ASSIGN(const int64_t* where, Int64OnDevice(builder, indices));
  builder.AddKernel([=, element = data.element(), to = out.data.get(), outer = Product(data.shape, 0, axis),
                     size = data.shape[axis], count = indices.shape[axis],
                     inner = Product(data.shape, axis + 1, data.shape.size())](cudaStream_t stream) {
    return LaunchGatherElements(element, from, where, to, outer, size, count, inner, stream);
  });
  return {};
}

Result<void> HandleGatherNd(Builder& builder) {
  const Tensor data = builder.Input(0);
  const Tensor indices = builder.Input(1);
  const auto batch_dims = static_cast<size_t>(builder.node().Int("batch_dims", 0));
  const auto depth = static_cast<size_t>(indices.shape.back());
  Shape shape(indices.shape.begin(), indices.shape.end() - 1);
  const auto begin = static_cast<int64_t>(batch_dims + depth);
  shape.insert(shape.end(), data.shape.begin() + begin, data.shape.end());
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, data.type, shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(data));
  TRY_ASSIGN(const int64_t* where, Int64OnDevice(builder, indices));
  const std::vector<int64_t> dims(data.shape.begin() + static_cast<int64_t>(batch_dims),
                                  data.shape.begin() + begin);
  builder.AddKernel(
      [=, element = data.element(), to = out.data.get(), batch = Product(indices.shape, 0, batch_dims),
       count = Product(indices.shape, batch_dims, indices.shape.size() - 1),
       inner = Product(data.shape, batch_dims + depth, data.shape.size())](cudaStream_t stream) {
        return LaunchGatherNd(element, from, where, to, batch, count, static_cast<int>(dims.size()),
                              dims.data(), inner, stream);
      });
  return {};
}

}  // namespace

void AddGathers(Handlers& handlers) {
  handlers["Resize"] = HandleResize;
  handlers["Gather"] = HandleGather;
  handlers["Compress"] = HandleCompress;
  handlers["GatherElements"] = HandleGatherElements;
  handlers["GatherND"] = HandleGatherNd;
}

}  // namespace tessera::standin
