#include "tests/nvinfer_standin/elementwise.h"

namespace tessera::standin {
namespace {

Result<Operand> OperandOf(Builder& builder, const Tensor& tensor, const Shape& result) {
  TRY_ASSIGN(const void* data, builder.OnDevice(tensor));
  return Operand{data, KernelStrides(BroadcastStrides(tensor, result))};
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
  TRY_ASSIGN(const Places places, PlacesOf(out.shape));
  TRY_ASSIGN(const Operand x, OperandOf(builder, a, out.shape));
  TRY_ASSIGN(const Operand y, OperandOf(builder, b, out.shape));
  builder.AddKernel([=, to = out.data.get()](cudaStream_t stream) {
    return LaunchBinary(op, type, places, x, y, to, stream);
  });
  return {};
}

Result<void> EmitWhere(Builder& builder, const Tensor& condition, const Tensor& yes, const Tensor& no,
                       const Tensor& out) {
  TRY_ASSIGN(const Places places, PlacesOf(out.shape));
  TRY_ASSIGN(const Operand c, OperandOf(builder, condition, out.shape));
  TRY_ASSIGN(const Operand y, OperandOf(builder, yes, out.shape));
  TRY_ASSIGN(const Operand n, OperandOf(builder, no, out.shape));
  builder.AddKernel([=, element = out.element(), to = out.data.get()](cudaStream_t stream) {
    return LaunchWhere(element, places, c, y, n, to, stream);
  });
  return {};
}

}  // namespace tessera::standin
