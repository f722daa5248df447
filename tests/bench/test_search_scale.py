"""How long a plan takes: a DiT-like model of 28 blocks, and the same grown to 50,000 nodes, on one core."""

import os
import pathlib
import time

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

HIDDEN, HEADS, BATCH, LENGTH = 64, 4, 2, 16


class Blocks:
    """A stack of pre-norm transformer blocks with their own weights; 29 nodes each."""

    def __init__(self):
        self.nodes, self.weights, self.random = [], [], numpy.random.default_rng(1)

    def weight(self, *shape):
        name = f"w{len(self.weights)}"
        values = (self.random.standard_normal(shape) * 0.05).astype(numpy.float32)
        self.weights.append(numpy_helper.from_array(values, name))
        return name

    def shape(self, *sizes):
        name = f"s{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(numpy.array(sizes, numpy.int64), name))
        return name

    def op(self, kind, *inputs, **attributes):
        output = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x, inner, outer):
        return self.op("Add", self.op("MatMul", x, self.weight(inner, outer)), self.weight(outer))

    def heads(self, x, order):
        split = self.op("Reshape", self.linear(x, HIDDEN, HIDDEN), self.shape(BATCH, LENGTH, HEADS, HIDDEN // HEADS))
        return self.op("Transpose", split, perm=order)

    def norm(self, x):
        return self.op("LayerNormalization", x, self.weight(HIDDEN), self.weight(HIDDEN), axis=-1)

    def block(self, x):
        y = self.norm(x)
        scores = self.op("MatMul", self.heads(y, [0, 2, 1, 3]), self.heads(y, [0, 2, 3, 1]))
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), self.heads(y, [0, 2, 1, 3]))
        merged = self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]), self.shape(BATCH, LENGTH, HIDDEN))
        x = self.op("Add", x, self.linear(merged, HIDDEN, HIDDEN))
        up = self.linear(self.norm(x), HIDDEN, 4 * HIDDEN)
        return self.op("Add", x, self.linear(self.op("Mul", up, self.op("Sigmoid", up)), 4 * HIDDEN, HIDDEN))


def write_model(file: pathlib.Path, blocks: int) -> int:
    made = Blocks()
    x = "x"
    for _ in range(blocks):
        x = made.block(x)
    shape = [BATCH, LENGTH, HIDDEN]
    graph = helper.make_graph(made.nodes, "blocks", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], made.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    return len(made.nodes)


def run_on_one_core(command: list[str]) -> tuple[float, float]:
    """Seconds and the largest resident size in GB."""
    core = min(os.sched_getaffinity(0))
    started = time.monotonic()
    process = os.posix_spawnp("taskset", ["taskset", "-c", str(core), *command], os.environ)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return time.monotonic() - started, usage.ru_maxrss / 1e6


@pytest.mark.parametrize("blocks, seconds, gigabytes", [(28, 2, 4), (400, None, 4), (800, None, 4), (1725, 20, 4)])
def test_planning_time(tessera, tmp_path, blocks, seconds, gigabytes):
    nodes = write_model(tmp_path / "model.onnx", blocks)
    took, held = run_on_one_core([str(tessera), "shard", str(tmp_path / "model.onnx"), "--ranks", "2", "--strategy", "tensor",
                                  "-o", str(tmp_path / "repository"), "--json"])
    print(f"\n{nodes} nodes: {took:.2f} s for the whole of `tessera shard` (read, shapes, search, check, write), {held:.2f} GB")
    assert held <= gigabytes
    assert seconds is None or took <= seconds
