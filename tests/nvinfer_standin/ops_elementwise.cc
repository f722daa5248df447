#include <cmath>
#include <functional>

#include "tests/nvinfer_standin/elementwise.h"
#include "tests/nvinfer_standin/ops.h"

namespace tessera::standin {
namespace {

Walk WalkOf(const Shape& result) {
  Walk walk;
  walk.dims = static_cast<int>(result.size());
  for (size_t d = 0; d < result.size(); ++d) walk.sizes[d] = result[d];
  return walk;
}

Result<Operand> OperandOf(Builder& builder, const Tensor& tensor, const Shape& result) {
  Operand operand;
  TRY_ASSIGN(operand.data, builder.OnDevice(tensor));
  const std::vector<int64_t> strides = BroadcastStrides(tensor, result);
  for (size_t d = 0; d < strides.size(); ++d) operand.strides[d] = strides[d];
  return operand;
}

int64_t OnHost(Binary op, int64_t a, int64_t b) {
  switch (op) {
    case Binary::kAdd:
      return a + b;
    case Binary::kSub:
      return a - b;
    case Binary::kMul:
      return a * b;
    case Binary::kDiv:
      return b == 0 ? 0 : a / b;
    case Binary::kPow:
      return static_cast<int64_t>(std::llround(std::pow(static_cast<double>(a), static_cast<double>(b))));
    case Binary::kMax:
      return std::max(a, b);
    case Binary::kMin:
      return std::min(a, b);
    case Binary::kMod:
      return b == 0 ? 0 : ((a % b) + b) % b;
    case Binary::kAnd:
      return a != 0 && b != 0;
    case Binary::kOr:
      return a != 0 || b != 0;
    case Binary::kXor:
      return (a != 0) != (b != 0);
    case Binary::kEqual:
      return a == b;
    case Binary::kLess:
      return a < b;
    case Binary::kLessOrEqual:
      return a <= b;
    case Binary::kGreater:
      return a > b;
    case Binary::kGreaterOrEqual:
      return a >= b;
  }
  return 0;
}

// Calls `visit(offsets)` for every place of `result`, with each operand's element offset there.
void ForEachPlace(const Shape& result, const std::vector<std::vector<int64_t>>& strides,
                  const std::function<void(const std::vector<int64_t>&)>& visit) {
  std::vector<int64_t> index(result.size(), 0);
  std::vector<int64_t> at(strides.size(), 0);
  for (int64_t i = 0; i < ElementCount(result); ++i) {
    visit(at);
    for (size_t d = result.size(); d-- > 0;) {
      ++index[d];
      for (size_t k = 0; k < at.size(); ++k) at[k] += strides[k][d];
      if (index[d] < result[d]) break;
      for (size_t k = 0; k < at.size(); ++k) at[k] -= strides[k][d] * result[d];
      index[d] = 0;
    }
  }
}

std::vector<int64_t> BinaryOnHost(Binary op, const Tensor& a, const Tensor& b, const Shape& result) {
  std::vector<int64_t> values;
  ForEachPlace(result, {BroadcastStrides(a.shape, result), BroadcastStrides(b.shape, result)},
               [&](const std::vector<int64_t>& at) {
                 values.push_back(OnHost(op, (*a.host)[static_cast<size_t>(at[0])],
                                         (*b.host)[static_cast<size_t>(at[1])]));
               });
  return values;
}

bool GivesBool(Binary op) {
  return op >= Binary::kAnd;
}

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
  if (in.host && (op == Unary::kNot || op == Unary::kNeg || op == Unary::kAbs)) {
    Tensor out = in;
    out.data = nullptr;
    for (int64_t& value : *out.host) {
      value = op == Unary::kNot ? (value == 0 ? 1 : 0) : op == Unary::kNeg ? -value : std::abs(value);
    }
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
    Tensor out{yes.type, shape, nullptr, std::vector<int64_t>(), {}};
    ForEachPlace(shape,
                 {BroadcastStrides(condition.shape, shape), BroadcastStrides(yes.shape, shape),
                  BroadcastStrides(no.shape, shape)},
                 [&](const std::vector<int64_t>& at) {
                   const bool first = (*condition.host)[static_cast<size_t>(at[0])] != 0;
                   out.host->push_back(first ? (*yes.host)[static_cast<size_t>(at[1])]
                                             : (*no.host)[static_cast<size_t>(at[2])]);
                 });
    builder.SetOutput(0, out);
    return {};
  }
  TRY_ASSIGN(const Tensor out, builder.NewOutput(0, yes.type, shape));
  return EmitWhere(builder, condition, yes, no, out);
}

DType FromOnnx(int64_t number) {
  switch (number) {
    case 1:
      return DType::kFloat32;
    case 2:
      return DType::kUInt8;
    case 3:
      return DType::kInt8;
    case 6:
      return DType::kInt32;
    case 7:
      return DType::kInt64;
    case 9:
      return DType::kBool;
    case 10:
      return DType::kFloat16;
    case 11:
      return DType::kFloat64;
    case 16:
      return DType::kBFloat16;
    default:
      return DType::kUndefined;
  }
}

Result<void> HandleCast(Builder& builder) {
  const Tensor in = builder.Input(0);
  const DType type = FromOnnx(builder.node().Int("to", 0));
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

Result<void> EmitUnary(Builder& builder, Unary op, const Tensor& in, const Tensor& out) {
  TRY_ASSIGN(const ElementType type, ToElement(in.type));
  TRY_ASSIGN(const void* from, builder.OnDevice(in));
  builder.AddKernel([=, to = out.data.get(), count = in.count()](cudaStream_t stream) {
    return LaunchUnary(op, type, from, to, count, stream);
  });
  return {};
}

Result<void> EmitBinary(Builder& builder, Binary op, const Tensor& a, const Tensor& b, const Tensor& out) {
  if (a.type != b.type) {
    return Fail(Code::kInvalidArgument, "operands of {} and {}", DTypeName(a.type), DTypeName(b.type));
  }
  TRY_ASSIGN(const ElementType type, ToElement(a.type));
  TRY_ASSIGN(const Operand x, OperandOf(builder, a, out.shape));
  TRY_ASSIGN(const Operand y, OperandOf(builder, b, out.shape));
  builder.AddKernel([=, walk = WalkOf(out.shape), to = out.data.get()](cudaStream_t stream) {
    return LaunchBinary(op, type, walk, x, y, to, stream);
  });
  return {};
}

Result<void> EmitWhere(Builder& builder, const Tensor& condition, const Tensor& yes, const Tensor& no,
                       const Tensor& out) {
  TRY_ASSIGN(const Operand c, OperandOf(builder, condition, out.shape));
  TRY_ASSIGN(const Operand y, OperandOf(builder, yes, out.shape));
  TRY_ASSIGN(const Operand n, OperandOf(builder, no, out.shape));
  builder.AddKernel([=, walk = WalkOf(out.shape), element = out.element(), to = out.data.get()](
                        cudaStream_t stream) { return LaunchWhere(element, walk, c, y, n, to, stream); });
  return {};
}

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
