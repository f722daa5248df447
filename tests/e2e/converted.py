"""Models made of others: half precision, and the two ways in which onnxruntime quantizes."""

from __future__ import annotations

import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantFormat, quantize_dynamic, quantize_static

from reference import Reference

FLOAT, HALF = TensorProto.FLOAT, TensorProto.FLOAT16


def to_half(source: pathlib.Path, target: pathlib.Path) -> None:
    """Weights and arithmetic in fp16; inputs and outputs stay fp32, with a Cast behind and before them."""
    model = onnx.load(source)
    graph = model.graph
    for tensor in graph.initializer:
        _halve_tensor(tensor)
    for node in graph.node:
        _halve_node(node)
    del graph.value_info[:]
    before = [_cast_input(graph, value) for value in graph.input if _is_float(value)]
    after = [_cast_output(graph, value) for value in graph.output if _is_float(value)]
    nodes = [*before, *graph.node, *after]
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.save(model, target)


def _is_float(value: onnx.ValueInfoProto) -> bool:
    return value.type.tensor_type.elem_type == FLOAT


def _halve_tensor(tensor: TensorProto) -> None:
    if tensor.data_type != FLOAT:
        return
    limit = float(np.finfo(np.float16).max)  # masks are often the lowest float there is
    array = np.clip(numpy_helper.to_array(tensor), -limit, limit).astype(np.float16)
    tensor.CopyFrom(numpy_helper.from_array(array, tensor.name))


def _halve_node(node: onnx.NodeProto) -> None:
    for attribute in node.attribute:
        if attribute.HasField("t"):
            _halve_tensor(attribute.t)
        elif node.op_type == "Cast" and attribute.name == "to" and attribute.i == FLOAT:
            attribute.i = HALF


def _rename(graph: onnx.GraphProto, old: str, new: str) -> None:
    for node in graph.node:
        for names in (node.input, node.output):
            names[:] = [new if name == old else name for name in names]


def _cast_input(graph: onnx.GraphProto, value: onnx.ValueInfoProto) -> onnx.NodeProto:
    half = f"{value.name}_half"
    _rename(graph, value.name, half)
    return helper.make_node("Cast", [value.name], [half], to=HALF)


def _cast_output(graph: onnx.GraphProto, value: onnx.ValueInfoProto) -> onnx.NodeProto:
    half = f"{value.name}_half"
    _rename(graph, value.name, half)
    return helper.make_node("Cast", [half], [value.name], to=FLOAT)


def to_dynamic_int8(source: pathlib.Path, target: pathlib.Path) -> None:
    """int8 weights, activations quantized by what they are at run time: DynamicQuantizeLinear and MatMulInteger."""
    quantize_dynamic(source, target)


def to_static_int8(source: pathlib.Path, target: pathlib.Path) -> None:
    """QuantizeLinear and DequantizeLinear around every product, weights by column, ranges from random inputs."""
    quantize_static(source, target, _Calibration(source), quant_format=QuantFormat.QDQ, per_channel=True)


class _Calibration(CalibrationDataReader):
    def __init__(self, model: pathlib.Path):
        reference = Reference(model)
        self._left = [reference.random_inputs(2, 16, seed) for seed in range(4)]

    def get_next(self):
        return self._left.pop() if self._left else None


CONVERSIONS = {"fp16": to_half, "dynamic": to_dynamic_int8, "qdq": to_static_int8}
