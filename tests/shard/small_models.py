"""A small model node by node: weights by chance, shapes left to inference."""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper


class SmallModel:
    def __init__(self, opset=18, seed=0):
        self.opset = opset
        self.random = numpy.random.default_rng(seed)
        self.nodes, self.weights, self.inputs, self.feed = [], {}, [], {}

    def input(self, name, value, dims=None):
        """An input that is fed `value`; `dims` names the free ones of its dimensions."""
        value = numpy.asarray(value)
        self.inputs.append(helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(value.dtype),
                                                         dims or value.shape))
        self.feed[name] = value
        return name

    def ids(self, name, shape, below, dtype=numpy.int64, negative=False, dims=None):
        low = -below if negative else 0
        return self.input(name, self.random.integers(low, below, shape).astype(dtype), dims)

    def weight(self, *shape):
        scale = 1 / numpy.sqrt(shape[0])
        return self.constant((self.random.standard_normal(shape) * scale).astype(numpy.float32))

    def ints(self, *values):
        return self.constant(numpy.array(values, numpy.int64))

    def constant(self, value):
        name = f"c{len(self.weights)}"
        self.weights[name] = value
        return name

    def op(self, op, *inputs, outputs=1, **attributes):
        names = [f"{op}_{len(self.nodes)}" + (f"_{i}" if i else "") for i in range(outputs)]
        self.nodes.append(helper.make_node(op, inputs, names, name=names[0], **attributes))
        return names[0] if outputs == 1 else names

    def linear(self, x, inner, outer, relu=False):
        y = self.op("Gemm", x, self.weight(inner, outer), self.weight(outer))
        return self.op("Relu", y) if relu else y

    def model(self, *outputs):
        infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self.nodes, "small", self.inputs, infos,
                                  [numpy_helper.from_array(v, n) for n, v in self.weights.items()])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)
        return onnx.shape_inference.infer_shapes(made, strict_mode=True)
