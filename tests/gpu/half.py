"""An fp32 ONNX model as the same model in fp16 or bf16, as if it had been exported so."""

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HALVES = {"fp16": np.dtype(np.float16), "bf16": np.dtype(ml_dtypes.bfloat16)}


def in_half(values: np.ndarray, half: np.dtype) -> np.ndarray:
    """Floats in `half`, no farther than to its largest: masks are of the lowest fp32."""
    largest = float(ml_dtypes.finfo(half).max)
    return np.clip(values, -largest, largest).astype(half) if values.dtype == np.float32 else values


def half_tensor(tensor: TensorProto, half: np.dtype) -> TensorProto:
    if tensor.data_type != TensorProto.FLOAT:
        return tensor
    return numpy_helper.from_array(in_half(numpy_helper.to_array(tensor), half), tensor.name)


def half_attribute(op: str, attribute: onnx.AttributeProto, half: np.dtype) -> None:
    if op == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
        attribute.i = helper.np_dtype_to_tensor_dtype(half)
    if attribute.type == onnx.AttributeProto.TENSOR:
        attribute.t.CopyFrom(half_tensor(attribute.t, half))


def to_half(model: onnx.ModelProto, half: np.dtype = HALVES["fp16"]) -> onnx.ModelProto:
    """Every fp32 value, input and output included; subgraphs are left alone."""
    made = onnx.ModelProto()
    made.CopyFrom(model)
    graph = made.graph
    del graph.value_info[:]
    scales = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:3]}  # fp32 for ever
    for tensor in graph.initializer:
        if tensor.name not in scales:
            tensor.CopyFrom(half_tensor(tensor, half))
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = helper.np_dtype_to_tensor_dtype(half)
    for node in graph.node:
        for attribute in node.attribute:
            half_attribute(node.op_type, attribute, half)
    return made
