#include "tests/nvinfer_standin/elementwise.h"
#include "tests/nvinfer_standin/gemm.h"
#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

// numpy.matmul's shapes: vectors become matrices, leading dimensions broadcast.
struct Product2 {
  Shape a, b;   // with at least two dimensions
  Shape batch;  // broadcast leading dimensions
  Shape out;
  int64_t m = 0, k = 0, n = 0;
};

Result<Product2> ShapesOf(const Tensor& a, const Tensor& b) {
  Product2 p{a.shape, b.shape, {}, {}};
  if (a.shape.size() == 1) p.a.insert(p.a.begin(), 1);
  if (b.shape.size() == 1) p.b.push_back(1);
  p.m = p.a[p.a.size() - 2];
  p.k = p.a.back();
  p.n = p.b.back();
  if (p.b[p.b.size() - 2] != p.k) {
    return Fail(Code::kInvalidArgument, "{} times {}", ToString(a.shape), ToString(b.shape));
  }
  TRY_ASSIGN(p.batch, BroadcastShapes(Shape(p.a.begin(), p.a.end() - 2), Shape(p.b.begin(), p.b.end() - 2)));
  p.out = p.batch;
  if (a.shape.size() > 1) p.out.push_back(p.m);
  if (b.shape.size() > 1) p.out.push_back(p.n);
  return p;
}

// The tensor with its leading dimensions repeated to `batch`.
Result<Tensor> Repeated(Builder& builder, const Tensor& tensor, const Shape& matrix_shape,
                        const Shape& batch) {
  Shape wide = batch;
  wide.insert(wide.end(), matrix_shape.end() - 2, matrix_shape.end());
  if (wide == matrix_shape) return tensor;
  TRY_ASSIGN(Tensor out, builder.Scratch(tensor.type, wide));
  TRY(EmitMove(builder, tensor, out, Move{wide, BroadcastStrides(matrix_shape, wide), StridesOf(wide)}));
  return out;
}

Result<void> HandleMatMul(Builder& builder) {
  const Tensor a = builder.Input(0);
  const Tensor b = builder.Input(1);
  TRY_ASSIGN(const Product2 p, ShapesOf(a, b));
  Gemm gemm;
  gemm.relu = builder.TakeNext("Relu");
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, a.type, p.out));
  gemm.type = a.type;
  gemm.m = p.m;
  gemm.n = p.n;
  gemm.k = p.k;
  const int64_t batch = Product(p.batch, 0, p.batch.size());
  Tensor left = a;
  Tensor right = b;
  const bool one_b = Product(p.b, 0, p.b.size() - 2) == 1;
  const bool whole_a = Product(p.a, 0, p.a.size() - 2) == batch;
  if (one_b && whole_a) {
    gemm.m = p.m * batch;  // rows of all batches times one matrix
  } else {
    gemm.batch = batch;
    if (Product(p.a, 0, p.a.size() - 2) != 1) {
      TRY_ASSIGN(left, Repeated(builder, a, p.a, p.batch));
      gemm.stride_a = p.m * p.k;
    }
    if (!one_b) {
      TRY_ASSIGN(right, Repeated(builder, b, p.b, p.batch));
      gemm.stride_b = p.k * p.n;
    }
  }
  TRY_ASSIGN(const void* x, builder.OnDevice(left));
  TRY_ASSIGN(const void* y, builder.OnDevice(right));
  return EmitGemm(builder, gemm, x, y, out.data.get());
}

Result<void> HandleGemm(Builder& builder) {
  const Tensor a = builder.Input(0);
  const Tensor b = builder.Input(1);
  Gemm gemm;
  gemm.type = a.type;
  gemm.transpose_a = builder.node().Int("transA", 0) != 0;
  gemm.transpose_b = builder.node().Int("transB", 0) != 0;
  gemm.alpha = builder.node().Float("alpha", 1);
  gemm.m = a.shape[gemm.transpose_a ? 1 : 0];
  gemm.k = a.shape[gemm.transpose_a ? 0 : 1];
  gemm.n = b.shape[gemm.transpose_b ? 0 : 1];
  TRY_ASSIGN(Tensor out, builder.NewOutput(0, a.type, {gemm.m, gemm.n}));
  TRY_ASSIGN(const void* x, builder.OnDevice(a));
  TRY_ASSIGN(const void* y, builder.OnDevice(b));
  if (!builder.HasInput(2)) return EmitGemm(builder, gemm, x, y, out.data.get());
  if (builder.node().Float("beta", 1) != 1) return Fail(Code::kUnsupported, "Gemm with beta other than 1");
  const Tensor c = builder.Input(2);
  TRY(EmitMove(builder, c, out, Move{out.shape, BroadcastStrides(c.shape, out.shape), StridesOf(out.shape)}));
  gemm.accumulate = true;
  return EmitGemm(builder, gemm, x, y, out.data.get());
}

Result<Patches> PatchesOf(const graph::Node& node, const Tensor& in, const Tensor& weight) {
  for (int64_t dilation : node.Ints("dilations")) {
    if (dilation != 1) return Fail(Code::kUnsupported, "a dilated convolution");
  }
  if (node.Int("group", 1) != 1 || in.shape.size() != 4 || node.String("auto_pad", "NOTSET") != "NOTSET") {
    return Fail(Code::kUnsupported, "a convolution that is grouped, not 2-D or auto-padded");
  }
  const std::vector<int64_t> strides = node.Ints("strides");
  const std::vector<int64_t> pads = node.Ints("pads");
  auto at = [](const std::vector<int64_t>& values, size_t i, int64_t otherwise) {
    return i < values.size() ? values[i] : otherwise;
  };
  Patches p{in.shape[0], in.shape[1], in.shape[2],       in.shape[3],       weight.shape[2], weight.shape[3],
            0,           0,           at(strides, 0, 1), at(strides, 1, 1), at(pads, 0, 0),  at(pads, 1, 0)};
  p.oh = (p.h + p.pad_h + at(pads, 2, 0) - p.kh) / p.stride_h + 1;
  p.ow = (p.w + p.pad_w + at(pads, 3, 0) - p.kw) / p.stride_w + 1;
  return p;
}

// Patches times weights, then channels before places, then the bias.
Result<void> HandleConv(Builder& builder) {
  const Tensor in = builder.Input(0);
  const Tensor weight = builder.Input(1);
  TRY_ASSIGN(const Patches p, PatchesOf(builder.node(), in, weight));
  const int64_t channels = weight.shape[0];
  const int64_t depth = p.c * p.kh * p.kw;
  const int64_t places = p.oh * p.ow;
  TRY_ASSIGN(const Tensor patches, builder.Scratch(in.type, {p.n, places, depth}));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  builder.AddKernel([=, element = in.element(), to = patches.data.get()](cudaStream_t stream) {
    return LaunchPatches(element, p, from, to, stream);
  });
  // [channels, depth] x [places, depth]' per image gives [channels, places]: the wanted order at once.
  TRY_ASSIGN(Tensor out, builder.NewOutput(0, in.type, {p.n, channels, p.oh, p.ow}));
  Gemm gemm;
  gemm.type = in.type;
  gemm.m = channels;
  gemm.n = places;
  gemm.k = depth;
  gemm.transpose_b = true;
  gemm.batch = p.n;
  gemm.stride_b = places * depth;
  if (builder.HasInput(2)) {
    Tensor bias = builder.Input(2);
    TRY(EmitMove(builder, bias, out, Move{out.shape, {0, 1, 0, 0}, StridesOf(out.shape)}));
    gemm.accumulate = true;
  }
  TRY_ASSIGN(const void* w, builder.OnDevice(weight));
  return EmitGemm(builder, gemm, w, patches.data.get(), out.data.get());
}

}  // namespace

void AddProducts(Handlers& handlers) {
  handlers["MatMul"] = HandleMatMul;
  handlers["Gemm"] = HandleGemm;
  handlers["Conv"] = HandleConv;
}

}  // namespace tessera::standin
