#include "tessera/graph/element_types.h"
#include "tests/nvinfer_standin/elementwise.h"
#include "tests/nvinfer_standin/host_values.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

// Inputs beyond the second (Max, Min of many) are folded in one by one.
template <Binary op>
Result<void> HandleBinary(Builder& builder) {
  Tensor a = builder.Input(0);
  if (builder.input_count() == 1) return builder.SetView(0, a, a.shape);
  for (size_t i = 1; i < builder.input_count(); ++i) {
    const Tensor b = builder.Input(i);
    TRY_ASSIGN(const Shape shape, BroadcastShapes(a.shape, b.shape));
    const DType type = GivesBool(op) ? DType::kBool : a.type;
    const bool last = i + 1 == builder.input_count();
    Tensor result;
    if (a.host && b.host) {
      result.type = type;
      result.shape = shape;
      result.host = BinaryOnHost(op, a, b, shape);
      builder.SetOutput(0, result);
    } else {
      if (last) {
        TRY_ASSIGN(result, builder.NewOutput(0, type, shape));
      } else {
        TRY_ASSIGN(result, builder.Scratch(type, shape));
      }
      TRY(EmitBinary(builder, op, a, b, result));
    }
    a = result;
  }
  return {};
}

template <Unary op>
Result<void> HandleUnary(Builder& builder) {
  const Tensor in = builder.Input(0);
  if (in.host && UnaryOnHost(op, 0)) {
    Tensor out{in.type, in.shape, nullptr, std::vector<int64_t>(), {}};
    for (const int64_t value : *in.host) out.host->push_back(*UnaryOnHost(op, value));
    builder.SetOutput(0, out);
    return {};
  }
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, op == Unary::kIsNaN ? DType::kBool : in.type, in.shape));
  return EmitUnary(builder, op, in, out);
}

Result<void> HandleGelu(Builder& builder) {
  return builder.node().String("approximate", "none") == "tanh" ? HandleUnary<Unary::kGeluTanh>(builder)
                                                                : HandleUnary<Unary::kGelu>(builder);
}

Result<void> HandleWhere(Builder& builder) {
  const Tensor condition = builder.Input(0);
  const Tensor yes = builder.Input(1);
  const Tensor no = builder.Input(2);
  TRY_ASSIGN(const Shape both, BroadcastShapes(yes.shape, no.shape));
  TRY_ASSIGN(const Shape shape, BroadcastShapes(condition.shape, both));
  if (condition.host && yes.host && no.host) {
    builder.SetOutput(0, {yes.type, shape, nullptr, WhereOnHost(condition, yes, no, shape), {}});
    return {};
  }
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, yes.type, shape));
  return EmitWhere(builder, condition, yes, no, out);
}

Result<void> HandleCast(Builder& builder) {
  const Tensor in = builder.Input(0);
  const DType type = graph::FromOnnxType(static_cast<int32_t>(builder.node().Int("to", 0)));
  if (type == in.type) return builder.SetView(0, in, in.shape);
  if (in.host && (IsInteger(type) || type == DType::kBool)) {
    Tensor out{type, in.shape, nullptr, in.host, {}};
    if (type == DType::kBool) {
      for (int64_t& value : *out.host) value = value != 0 ? 1 : 0;
    }
    builder.SetOutput(0, out);
    return {};
  }
  TRY_ASSIGN(const ElementType from_type, ToElement(in.type));
  TRY_ASSIGN(const ElementType to_type, ToElement(type));
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, type, in.shape));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  builder.AddKernel([=, to = out.data.get(), count = in.count()](cudaStream_t stream) {
    return LaunchCast(from_type, to_type, from, to, count, stream);
  });
  return {};
}

// Clip(x, min, max): the bounds are tensors of one element.
Result<void> HandleClip(Builder& builder) {
  Tensor x = builder.Input(0);
  const bool has_min = builder.HasInput(1);
  const bool has_max = builder.HasInput(2);
  if (!has_min && !has_max) return builder.SetView(0, x, x.shape);
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, x.type, x.shape));
  if (has_min) {
    TRY(EmitBinary(builder, Binary::kMax, x, builder.Input(1), out));
    x = out;
  }
  return has_max ? EmitBinary(builder, Binary::kMin, x, builder.Input(2), out) : Result<void>();
}

}  // namespace

void AddElementwise(Handlers& handlers) {
  handlers["Add"] = HandleBinary<Binary::kAdd>;
  handlers["Sub"] = HandleBinary<Binary::kSub>;
  handlers["Mul"] = HandleBinary<Binary::kMul>;
  handlers["Div"] = HandleBinary<Binary::kDiv>;
  handlers["Pow"] = HandleBinary<Binary::kPow>;
  handlers["Max"] = HandleBinary<Binary::kMax>;
  handlers["Min"] = HandleBinary<Binary::kMin>;
  handlers["Mod"] = HandleBinary<Binary::kMod>;
  handlers["And"] = HandleBinary<Binary::kAnd>;
  handlers["Or"] = HandleBinary<Binary::kOr>;
  handlers["Xor"] = HandleBinary<Binary::kXor>;
  handlers["Equal"] = HandleBinary<Binary::kEqual>;
  handlers["Less"] = HandleBinary<Binary::kLess>;
  handlers["LessOrEqual"] = HandleBinary<Binary::kLessOrEqual>;
  handlers["Greater"] = HandleBinary<Binary::kGreater>;
  handlers["GreaterOrEqual"] = HandleBinary<Binary::kGreaterOrEqual>;
  handlers["Neg"] = HandleUnary<Unary::kNeg>;
  handlers["Abs"] = HandleUnary<Unary::kAbs>;
  handlers["Exp"] = HandleUnary<Unary::kExp>;
  handlers["Log"] = HandleUnary<Unary::kLog>;
  handlers["Sqrt"] = HandleUnary<Unary::kSqrt>;
  handlers["Reciprocal"] = HandleUnary<Unary::kReciprocal>;
  handlers["Erf"] = HandleUnary<Unary::kErf>;
  handlers["Tanh"] = HandleUnary<Unary::kTanh>;
  handlers["Sigmoid"] = HandleUnary<Unary::kSigmoid>;
  handlers["Relu"] = HandleUnary<Unary::kRelu>;
  handlers["Gelu"] = HandleGelu;
  handlers["Sin"] = HandleUnary<Unary::kSin>;
  handlers["Cos"] = HandleUnary<Unary::kCos>;
  handlers["Not"] = HandleUnary<Unary::kNot>;
  handlers["IsNaN"] = HandleUnary<Unary::kIsNaN>;
  handlers["Floor"] = HandleUnary<Unary::kFloor>;
  handlers["Ceil"] = HandleUnary<Unary::kCeil>;
  handlers["Softplus"] = HandleUnary<Unary::kSoftplus>;
  handlers["Where"] = HandleWhere;
  handlers["Cast"] = HandleCast;
  handlers["Clip"] = HandleClip;
}

}  // namespace tessera::standin
