"""How long a plan takes: a DiT-like model of 28 blocks, and the same grown to 50,000 nodes, on one core. Draws the
growth into docs/benchmarks/planning.svg."""

import dataclasses
import math
import multiprocessing
import os
import pathlib

import numpy
import onnx
import plot
from onnx import TensorProto, helper, numpy_helper

PLOT = pathlib.Path(__file__).resolve().parents[2] / "docs/benchmarks/planning.svg"
BLOCKS = [7, 14, 28, 56, 100, 200, 400, 800, 1725]
HIDDEN, HEADS, BATCH, LENGTH = 64, 4, 2, 16
NODES_A_BLOCK = 29


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


def write_model(file: pathlib.Path, blocks: int) -> None:
    made = Blocks()
    x = "x"
    for _ in range(blocks):
        x = made.block(x)
    shape = [BATCH, LENGTH, HIDDEN]
    graph = helper.make_graph(made.nodes, "blocks", [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
                              [helper.make_tensor_value_info(x, TensorProto.FLOAT, shape)], made.weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), file)
    assert len(made.nodes) == blocks * NODES_A_BLOCK


@dataclasses.dataclass
class Planned:
    nodes: int
    seconds: float  # of the one core
    gigabytes: float  # most that was resident


def plan_on_one_core(tessera: pathlib.Path, model: pathlib.Path, nodes: int) -> Planned:
    """CPU seconds, not those on the clock: other work on the machine does not count."""
    command = ["taskset", "-c", str(min(os.sched_getaffinity(0))), str(tessera), "shard", str(model), "--ranks", "2",
               "--strategy", "tensor", "-o", str(model.parent / f"planned{nodes}"), "--json"]
    silent = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    process = os.posix_spawnp(command[0], command, os.environ, file_actions=silent)
    _, status, usage = os.wait4(process, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    return Planned(nodes, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6)


def drawing(measured: list[Planned]) -> str:
    first, last = measured[0], measured[-1]
    linear = [(p.nodes, first.seconds * p.nodes / first.nodes) for p in (first, last)]
    return plot.log_log("tessera shard, 2 ranks: one core", "nodes of the model", [
        plot.Curve("seconds", [(p.nodes, p.seconds) for p in measured]),
        plot.Curve("GB resident", [(p.nodes, p.gigabytes) for p in measured]),
        plot.Curve("seconds, if linear", linear, dashed=True)])


def test_planning_time(tessera, tmp_path):
    measured = []
    for blocks in BLOCKS:
        model = tmp_path / f"model{blocks}.onnx"
        # In a process of its own: what this one holds would count as the most that its child ever held.
        writer = multiprocessing.Process(target=write_model, args=(model, blocks))
        writer.start()
        writer.join()
        measured.append(plan_on_one_core(tessera, model, blocks * NODES_A_BLOCK))
        model.unlink()
        print(f"\n| {measured[-1].nodes:,} | {blocks} | {measured[-1].seconds:.2f} | {measured[-1].gigabytes:.2f} GB |",
              end="")
    PLOT.write_text(drawing(measured))
    assert measured[BLOCKS.index(28)].seconds <= 2
    assert measured[-1].nodes >= 50_000 and measured[-1].seconds <= 20
    assert max(p.gigabytes for p in measured) <= 4
    middle, last = measured[BLOCKS.index(400)], measured[-1]
    slope = math.log(last.seconds / middle.seconds) / math.log(last.nodes / middle.nodes)
    print(f"\nseconds grow as nodes to the power of {slope:.2f} from 400 to {BLOCKS[-1]} blocks")
    assert slope <= 1.25
