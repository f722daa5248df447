#!/usr/bin/env python3
"""Writes the two models of docs/how-to/build-tensorrt-engines.md, with random weights.

    sample_models.py mlp FILE.onnx [--hidden 4096] [--inner 8192]
    sample_models.py attention FILE.onnx [--layers 6] [--hidden 4096] [--heads 32] [--sequence 32768]
"""

import argparse
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, IR_VERSION = 18, 10


class Sketch:
    """Collects nodes and weights."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def weight(self, name, rows, columns):
        values = self.random.standard_normal((rows, columns), dtype=np.float32) / np.sqrt(rows)
        self.weights.append(numpy_helper.from_array(values.astype(np.float16), name))
        return name

    def constant(self, name, values):
        self.weights.append(numpy_helper.from_array(np.asarray(values), name))
        return name

    def op(self, op_type, inputs, output, **attributes):
        self.nodes.append(helper.make_node(op_type, inputs, [output], name=output, **attributes))
        return output

    def save(self, file, name, shape):
        """x and y are FP16 of `shape`; weights of a large model go beside the file."""
        tensors = [helper.make_tensor_value_info(x, TensorProto.FLOAT16, shape) for x in ("x", "y")]
        graph = helper.make_graph(self.nodes, name, tensors[:1], tensors[1:], self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION)
        large = sum(len(weight.raw_data) for weight in self.weights) > 1 << 28
        onnx.save(model, file, save_as_external_data=large, location=pathlib.Path(file).name + ".weights")


def megatron_mlp(file, hidden=4096, inner=8192):
    """y = relu(x w1) w2, any number of rows: w1 is cut by columns, w2 by rows, one all-reduce."""
    sketch = Sketch(seed=1)
    up = sketch.op("MatMul", ["x", sketch.weight("w1", hidden, inner)], "up")
    active = sketch.op("Relu", [up], "active")
    sketch.op("MatMul", [active, sketch.weight("w2", inner, hidden)], "y")
    sketch.save(file, "mlp", ["rows", hidden])


def heads_of(sketch, x, kind, layer, hidden, heads, order):
    """x's queries, keys or values, by head."""
    name = f"{layer}.{kind}"
    flat = sketch.op("MatMul", [x, sketch.weight(f"{name}.weight", hidden, hidden)], name)
    shape = sketch.constant(f"{name}.shape", np.array([0, 0, heads, hidden // heads], np.int64))
    split = sketch.op("Reshape", [flat, shape], f"{name}.heads")
    return sketch.op("Transpose", [split], f"{name}.by_head", perm=order)


def attention_layers(file, layers=6, hidden=4096, heads=32, sequence=32768):
    """`layers` times x + attention(x): every query meets every key, so the ranks of a cut sequence must meet."""
    sketch = Sketch(seed=2)
    x = "x"
    for number in range(layers):
        layer = f"layer{number}"
        q = heads_of(sketch, x, "q", layer, hidden, heads, [0, 2, 1, 3])
        k = heads_of(sketch, x, "k", layer, hidden, heads, [0, 2, 3, 1])
        v = heads_of(sketch, x, "v", layer, hidden, heads, [0, 2, 1, 3])
        scale = sketch.constant(f"{layer}.scale", np.float16((hidden // heads) ** -0.5))
        scores = sketch.op("MatMul", [sketch.op("Mul", [q, scale], f"{layer}.scaled"), k], f"{layer}.scores")
        mixed = sketch.op("MatMul", [sketch.op("Softmax", [scores], f"{layer}.shares", axis=-1), v], f"{layer}.mixed")
        back = sketch.op("Transpose", [mixed], f"{layer}.by_place", perm=[0, 2, 1, 3])
        joined = sketch.constant(f"{layer}.shape", np.array([0, 0, hidden], np.int64))
        flat = sketch.op("Reshape", [back, joined], f"{layer}.joined")
        out = sketch.op("MatMul", [flat, sketch.weight(f"{layer}.o.weight", hidden, hidden)], f"{layer}.out")
        x = sketch.op("Add", [x, out], "y" if number == layers - 1 else f"{layer}.y")
    sketch.save(file, "attention", [1, sequence, hidden])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = parser.add_subparsers(dest="kind", required=True)
    for kind, make in (("mlp", megatron_mlp), ("attention", attention_layers)):
        sub = kinds.add_parser(kind)
        sub.add_argument("file", type=pathlib.Path)
        sizes = zip(make.__code__.co_varnames[1:], make.__defaults__)
        for name, default in sizes:
            sub.add_argument(f"--{name}", type=int, default=default)
        sub.set_defaults(make=make)
    options = vars(parser.parse_args())
    del options["kind"]
    options.pop("make")(**options)


if __name__ == "__main__":
    main()
