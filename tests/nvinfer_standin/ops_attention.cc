// ONNX's Attention (opset 23) without a KV cache.
#include <cmath>
#include <limits>

#include "tests/nvinfer_standin/elementwise.h"
#include "tests/nvinfer_standin/gemm.h"
#include "tests/nvinfer_standin/moves.h"
#include "tests/nvinfer_standin/ops.h"
#include "tests/nvinfer_standin/rows.h"
#include "tests/nvinfer_standin/sdpa.h"

namespace tessera::standin {
namespace {

template <class T>
std::vector<std::byte> ToBytes(T value) {
  const auto* begin = reinterpret_cast<const std::byte*>(&value);
  return {begin, begin + sizeof(value)};
}

// [b,s,heads*d] as [b,heads,s,d]; one of four dimensions as it is.
Result<Tensor> ByHead(Tensor tensor, int64_t heads) {
  if (tensor.shape.size() == 4) return tensor;
  if (tensor.shape.size() != 3 || heads <= 0 || tensor.shape[2] % heads != 0) {
    return Fail(Code::kInvalidArgument, "{} as {} heads", ToString(tensor.shape), heads);
  }
  const std::vector<int64_t> old = StridesOf(tensor);
  const int64_t depth = tensor.shape[2] / heads;
  tensor.shape = {tensor.shape[0], heads, tensor.shape[1], depth};
  tensor.strides = {old[0], depth * old[2], old[1], old[2]};
  return tensor;
}

Result<void> CheckSupported(Builder& builder) {
  for (size_t input = 4; input < builder.input_count(); ++input) {
    if (builder.HasInput(input)) return Fail(Code::kUnsupported, "attention with a KV cache");
  }
  if (builder.node().outputs.size() > 1) return Fail(Code::kUnsupported, "attention with a second output");
  if (builder.node().Float("softcap", 0) != 0) return Fail(Code::kUnsupported, "attention with a soft cap");
  return {};
}

// Dense, each of k's heads as often as q's heads share it.
Result<Tensor> Spread(Builder& builder, const Tensor& in, int64_t heads) {
  const std::vector<int64_t> from = StridesOf(in);
  const Shape& s = in.shape;
  const Move move{{s[0], s[1], heads / s[1], s[2], s[3]},
                  {from[0], from[1], 0, from[2], from[3]},
                  StridesOf(Shape{s[0], s[1], heads / s[1], s[2], s[3]})};
  TRY_ASSIGN(Tensor out, builder.Scratch(in.type, {s[0], heads, s[2], s[3]}));
  TRY(EmitMove(builder, in, out, move));
  return out;
}

// A batch of products, one a head.
Result<void> EmitHeads(Builder& builder, const Tensor& a, const Tensor& b, const Tensor& out, float alpha,
                       bool transpose_b) {
  Gemm gemm;
  gemm.type = a.type;
  gemm.m = a.shape[2];
  gemm.k = a.shape[3];
  gemm.n = out.shape[3];
  gemm.transpose_b = transpose_b;
  gemm.batch = a.shape[0] * a.shape[1];
  gemm.stride_a = gemm.m * gemm.k;
  gemm.stride_b = gemm.k * gemm.n;
  gemm.alpha = alpha;
  return EmitGemm(builder, gemm, a.data.get(), b.data.get(), out.data.get());
}

Result<Tensor> Lowest(Builder& builder, DType type) {
  if (type == DType::kFloat16) return builder.Constant(type, {}, ToBytes(static_cast<_Float16>(-65504)));
  if (type == DType::kBFloat16) return builder.Constant(type, {}, ToBytes(uint16_t{0xFF7F}));
  if (type == DType::kFloat32)
    return builder.Constant(type, {}, ToBytes(std::numeric_limits<float>::lowest()));
  return Fail(Code::kUnsupported, "a mask of bools over {}", DTypeName(type));
}

// The scores with the mask's values added, or the lowest number where a mask of bools is false.
Result<void> EmitMask(Builder& builder, const Tensor& mask, const Tensor& scores) {
  if (mask.type == scores.type) return EmitBinary(builder, Binary::kAdd, scores, mask, scores);
  if (mask.type != DType::kBool) return Fail(Code::kUnsupported, "a mask of {}", DTypeName(mask.type));
  TRY_ASSIGN(const Tensor lowest, Lowest(builder, scores.type));
  return EmitWhere(builder, mask, scores, lowest, scores);
}

Result<void> EmitByParts(Builder& builder, const Sdpa& sdpa) {
  const Shape& q_shape = sdpa.q.shape;
  TRY_ASSIGN(const Tensor q, Spread(builder, sdpa.q, q_shape[1]));
  TRY_ASSIGN(const Tensor k, Spread(builder, sdpa.k, q_shape[1]));
  TRY_ASSIGN(const Tensor v, Spread(builder, sdpa.v, q_shape[1]));
  TRY_ASSIGN(const Tensor scores, builder.Scratch(q.type, {q_shape[0], q_shape[1], q_shape[2], k.shape[2]}));
  TRY(EmitHeads(builder, q, k, scores, sdpa.scale, /*transpose_b=*/true));
  if (builder.HasInput(3)) TRY(EmitMask(builder, builder.Input(3), scores));
  if (sdpa.causal) return Fail(Code::kUnsupported, "causal attention of {}", DTypeName(q.type));
  TRY(EmitSoftmax(builder, scores, scores));
  TRY_ASSIGN(const Tensor out,
             builder.NewOutput(0, q.type, {q_shape[0], q_shape[1], q_shape[2], v.shape[3]}));
  return EmitHeads(builder, scores, v, out, 1, /*transpose_b=*/false);
}

// Of three dimensions, when the inputs are: the heads side by side.
Result<void> JoinHeads(Builder& builder) {
  const Tensor out = builder.Output(0);
  TRY_ASSIGN(const Tensor joined, EmitTranspose(builder, out, {0, 2, 1, 3}));
  return builder.SetView(0, joined, {out.shape[0], out.shape[2], out.shape[1] * out.shape[3]});
}

Result<void> HandleAttention(Builder& builder) {
  TRY(CheckSupported(builder));
  const graph::Node& node = builder.node();
  const bool flat = builder.Input(0).shape.size() == 3;
  Sdpa sdpa;
  TRY_ASSIGN(sdpa.q, ByHead(builder.Input(0), node.Int("q_num_heads", 0)));
  TRY_ASSIGN(sdpa.k, ByHead(builder.Input(1), node.Int("kv_num_heads", 0)));
  TRY_ASSIGN(sdpa.v, ByHead(builder.Input(2), node.Int("kv_num_heads", 0)));
  sdpa.scale = node.Float("scale", 1 / std::sqrt(static_cast<float>(sdpa.q.shape[3])));
  sdpa.causal = node.Int("is_causal", 0) != 0;
  const bool fused = !builder.HasInput(3) && CanFuse(sdpa.q, sdpa.k);
  TRY(fused ? EmitSdpa(builder, sdpa) : EmitByParts(builder, sdpa));
  return flat ? JoinHeads(builder) : Result<void>();
}

}  // namespace

void AddAttention(Handlers& handlers) {
  handlers["Attention"] = HandleAttention;
}

}  // namespace tessera::standin
