"""Generated transformers whose blocks run attention and MLP side by side, as GPT-J and GPT-NeoX do."""

import numpy
import onnx
from onnx import TensorProto, helper, numpy_helper

BATCH, LENGTH, HEADS, SIZE = 2, 8, 4, 16
HIDDEN = HEADS * SIZE


class _Model:
    def __init__(self):
        self.nodes, self.constants, self.random = [], [], numpy.random.default_rng(3)

    def weight(self, *shape):
        return self.constant((self.random.standard_normal(shape) / shape[0] ** 0.5).astype(numpy.float32))

    def constant(self, values):
        self.constants.append(numpy_helper.from_array(numpy.asarray(values), f"c{len(self.constants)}"))
        return self.constants[-1].name

    def op(self, kind, *inputs, outputs=1, **attributes):
        names = [f"{kind}_{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, inputs, names, name=names[0], **attributes))
        return names if outputs > 1 else names[0]

    def linear(self, x, inner, outer, bias=True):
        y = self.op("MatMul", x, self.weight(inner, outer))
        return self.op("Add", y, self.weight(outer)) if bias else y

    def norm(self, x):
        return self.op("LayerNormalization", x, self.weight(HIDDEN), self.weight(HIDDEN), axis=-1)

    def heads(self, x):
        shape = self.constant(numpy.array([BATCH, LENGTH, HEADS, SIZE]))
        return self.op("Transpose", self.op("Reshape", x, shape), perm=[0, 2, 1, 3])

    def attend(self, q, k, v):
        scores = self.op("MatMul", q, self.op("Transpose", k, perm=[0, 1, 3, 2]))
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), v)
        return self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]),
                       self.constant(numpy.array([BATCH, LENGTH, HIDDEN])))

    def mlp(self, x):
        up = self.linear(x, HIDDEN, 4 * HIDDEN)
        return self.linear(self.op("Mul", up, self.op("Sigmoid", up)), 4 * HIDDEN, HIDDEN)


def _gptj(model, x):
    """One norm; q, k and v apart; attention without biases; both added up before the residual."""
    y = model.norm(x)
    q, k, v = (model.heads(model.linear(y, HIDDEN, HIDDEN, bias=False)) for _ in range(3))
    attention = model.linear(model.attend(q, k, v), HIDDEN, HIDDEN, bias=False)
    return model.op("Add", model.op("Add", attention, model.mlp(y)), x)


def _neox(model, x):
    """Two norms; q, k and v fused head by head; biases everywhere; the residual is added in between."""
    fused = model.linear(model.norm(x), HIDDEN, 3 * HIDDEN)
    by_head = model.op("Reshape", fused, model.constant(numpy.array([BATCH, LENGTH, HEADS, 3 * SIZE])))
    parts = model.op("Split", by_head, model.constant(numpy.array([SIZE] * 3)), outputs=3, axis=-1)
    q, k, v = (model.op("Transpose", part, perm=[0, 2, 1, 3]) for part in parts)
    attention = model.linear(model.attend(q, k, v), HIDDEN, HIDDEN)
    return model.op("Add", model.op("Add", x, attention), model.mlp(model.norm(x)))


def parallel_blocks(kind, blocks):
    model, x = _Model(), "x"
    for _ in range(blocks):
        x = {"gptj": _gptj, "neox": _neox}[kind](model, x)
    shape = [BATCH, LENGTH, HIDDEN]
    graph = helper.make_graph(model.nodes, kind, [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], model.constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
