"""An fp32 ONNX model as the same model in fp16."""

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

LARGEST = 65504.0


def half_tensor(tensor: TensorProto) -> TensorProto:
    if tensor.data_type != TensorProto.FLOAT:
        return tensor
    values = np.clip(numpy_helper.to_array(tensor), -LARGEST, LARGEST)  # masks are of the lowest fp32
    return numpy_helper.from_array(values.astype(np.float16), tensor.name)


def half_attribute(op: str, attribute: onnx.AttributeProto) -> None:
    if op == "Cast" and attribute.name == "to" and attribute.i == TensorProto.FLOAT:
        attribute.i = TensorProto.FLOAT16
    if attribute.type == onnx.AttributeProto.TENSOR:
        attribute.t.CopyFrom(half_tensor(attribute.t))


def to_half(model: onnx.ModelProto) -> onnx.ModelProto:
    """Every fp32 value, input and output included; subgraphs are left alone."""
    half = onnx.ModelProto()
    half.CopyFrom(model)
    graph = half.graph
    del graph.value_info[:]
    scales = {name for node in graph.node if node.op_type == "Resize" for name in node.input[1:3]}  # fp32 for ever
    for tensor in graph.initializer:
        if tensor.name not in scales:
            tensor.CopyFrom(half_tensor(tensor))
    for value in [*graph.input, *graph.output]:
        if value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in graph.node:
        for attribute in node.attribute:
            half_attribute(node.op_type, attribute)
    return half
