"""Small ONNX models and model repositories for the tests of the backend."""

from __future__ import annotations

import hashlib
import json
import pathlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_OPSET = 17


def _model(nodes, inputs, outputs, initializers=(), opsets=()) -> onnx.ModelProto:
    graph = helper.make_graph(nodes, "test", inputs, outputs, initializer=list(initializers))
    imports = [helper.make_opsetid("", _OPSET), *opsets]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def _tensor(name, shape, dtype=TensorProto.FLOAT):
    return helper.make_tensor_value_info(name, dtype, shape)


def affine(shape=("batch", 4)) -> onnx.ModelProto:
    """y = 2 x + 1"""
    two = numpy_helper.from_array(np.float32(2), "two")
    one = numpy_helper.from_array(np.float32(1), "one")
    nodes = [helper.make_node("Mul", ["x", "two"], ["doubled"]), helper.make_node("Add", ["doubled", "one"], ["y"])]
    return _model(nodes, [_tensor("x", shape)], [_tensor("y", shape)], [two, one])


def masked_ids() -> onnx.ModelProto:
    """Like a transformer's interface: ids and mask [batch, seq] -> hidden [batch, seq, 2] and pooled [batch, 2]."""
    table = numpy_helper.from_array(embedding_table(), "table")
    axes = numpy_helper.from_array(np.array([2], np.int64), "axes")
    nodes = [
        helper.make_node("Gather", ["table", "ids"], ["embedded"]),
        helper.make_node("Cast", ["mask"], ["float_mask"], to=TensorProto.FLOAT),
        helper.make_node("Unsqueeze", ["float_mask", "axes"], ["wide_mask"]),
        helper.make_node("Mul", ["embedded", "wide_mask"], ["hidden"]),
        helper.make_node("ReduceSum", ["hidden", "one_axis"], ["pooled"], keepdims=0),
    ]
    one_axis = numpy_helper.from_array(np.array([1], np.int64), "one_axis")
    inputs = [_tensor(n, ("batch", "seq"), TensorProto.INT64) for n in ("ids", "mask")]
    outputs = [_tensor("hidden", ("batch", "seq", 2)), _tensor("pooled", ("batch", 2))]
    return _model(nodes, inputs, outputs, [table, axes, one_axis])


def rounds() -> onnx.ModelProto:
    """y = x halved `count` times: a step that takes as long as its request says."""
    half = numpy_helper.from_array(np.float32(0.5), "half")
    body = helper.make_graph(
        [helper.make_node("Identity", ["more"], ["go_on"]), helper.make_node("Mul", ["value", "half"], ["halved"])], "body",
        [_tensor("round", (), TensorProto.INT64), _tensor("more", (), TensorProto.BOOL), _tensor("value", (4,))],
        [_tensor("go_on", (), TensorProto.BOOL), _tensor("halved", (4,))], [half])
    yes = numpy_helper.from_array(np.array(True), "yes")
    return _model([helper.make_node("Loop", ["count", "yes", "x"], ["y"], body=body)],
                  [_tensor("count", (1,), TensorProto.INT64), _tensor("x", (4,))], [_tensor("y", (4,))], [yes])


def embedding_table() -> np.ndarray:
    return np.arange(20, dtype=np.float32).reshape(10, 2) - 7


def masked_ids_answer(ids: np.ndarray, mask: np.ndarray) -> dict[str, np.ndarray]:
    hidden = embedding_table()[ids] * mask[..., None].astype(np.float32)
    return {"hidden": hidden, "pooled": hidden.sum(axis=1)}


def every_type() -> onnx.ModelProto:
    """One pass-through input and output for each element type, [batch, 3]."""
    nodes, inputs, outputs = [], [], []
    for name, dtype in TYPES.items():
        inputs.append(_tensor(f"in_{name}", ("batch", 3), dtype))
        outputs.append(_tensor(f"out_{name}", ("batch", 3), dtype))
        nodes.append(helper.make_node("Identity", [f"in_{name}"], [f"out_{name}"]))
    return _model(nodes, inputs, outputs)


TYPES = {"FP32": TensorProto.FLOAT, "FP16": TensorProto.FLOAT16, "INT8": TensorProto.INT8, "UINT8": TensorProto.UINT8,
         "INT32": TensorProto.INT32, "INT64": TensorProto.INT64, "BOOL": TensorProto.BOOL}


def strings() -> onnx.ModelProto:
    shape = ("batch", 1)
    return _model([helper.make_node("Identity", ["text"], ["same"])], [_tensor("text", shape, TensorProto.STRING)],
                  [_tensor("same", shape, TensorProto.STRING)])


def mlp_weights(hidden: int = 8) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((4, hidden), np.float32), rng.standard_normal((hidden, 4), np.float32)


def mlp_answer(x: np.ndarray) -> np.ndarray:
    up, down = mlp_weights()
    return np.maximum(x @ up, 0) @ down


def _mlp_rank(up: np.ndarray, down: np.ndarray, ranks: int) -> onnx.ModelProto:
    """One rank of relu(x up) down, split over the columns of `up`."""
    nodes = [
        helper.make_node("MatMul", ["x", "up"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("MatMul", ["b", "down"], ["partial"]),
        helper.make_node("DistCollective", ["partial"], ["y"], name="sum_0", domain="tessera",
                         collective_operation="all_reduce", reduce_op="sum", root=-1, nb_rank=ranks, group_size=0),
    ]
    nodes[-1].attribute.append(helper.make_attribute("groups", [], attr_type=onnx.AttributeProto.INTS))
    weights = [numpy_helper.from_array(np.ascontiguousarray(up), "up"),
               numpy_helper.from_array(np.ascontiguousarray(down), "down")]
    return _model(nodes, [_tensor("x", ("batch", 4))], [_tensor("y", ("batch", 4))], weights,
                  [helper.make_opsetid("tessera", 1)])


def _artifact(file: pathlib.Path) -> dict:
    content = file.read_bytes()
    return {"file": file.name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _plan_tensor(name: str, dtype: str, dims: tuple) -> dict:
    """`dims`: a name for each dynamic dimension, a number for each fixed one."""
    return {"name": name, "type": dtype, "shape": [d if isinstance(d, int) else -1 for d in dims],
            "dims": ["" if isinstance(d, int) else d for d in dims], "layout": {"kind": "replicated"}}


def _write_plan(version: pathlib.Path, ranks: list, inputs: list, outputs: list, collectives=(), engine="openvino"):
    plan = {"format": "tessera-plan", "version": 1, "model_name": "test", "source_sha256": "0" * 64,
            "strategy": "tensor", "engine": engine, "mesh": [{"axis": "tp", "size": len(ranks)}], "ranks": ranks,
            "inputs": inputs, "outputs": outputs, "collectives": list(collectives), "predicted_us": 0}
    (version / "plan.json").write_text(json.dumps(plan))


def write_sharded_mlp(version: pathlib.Path, ranks: int = 2) -> None:
    """The files of a sharded model, written by hand: the answer is mlp_answer's whatever the number of ranks."""
    version.mkdir(parents=True)
    up, down = mlp_weights()
    rank_plans = []
    for rank, (u, d) in enumerate(zip(np.split(up, ranks, axis=1), np.split(down, ranks, axis=0))):
        file = version / f"model.onnx.rank{rank}"
        file.write_bytes(_mlp_rank(u, d, ranks).SerializeToString())
        rank_plans.append({"model": _artifact(file), "weights": [], "weight_bytes": u.nbytes + d.nbytes})
    collective = {"name": "sum_0", "op": "all_reduce", "reduce": "sum", "axis": "tp", "type": "FP32",
                  "shape": [-1, 4], "bytes": 16}
    _write_plan(version, rank_plans, [_plan_tensor("x", "FP32", ("batch", 4))],
                [_plan_tensor("y", "FP32", ("batch", 4))], [collective])


def write_planned_masked_ids(version: pathlib.Path) -> None:
    """masked_ids as a plan of one rank, which knows the names of its dimensions."""
    version.mkdir(parents=True)
    file = version / "model.onnx.rank0"
    file.write_bytes(masked_ids().SerializeToString())
    _write_plan(version, [{"model": _artifact(file), "weights": [], "weight_bytes": embedding_table().nbytes}],
                [_plan_tensor(name, "INT64", ("batch", "seq")) for name in ("ids", "mask")],
                [_plan_tensor("hidden", "FP32", ("batch", "seq", 2)), _plan_tensor("pooled", "FP32", ("batch", 2))])


class Repository:
    """A model repository in `path`, filled model by model."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        path.mkdir(parents=True, exist_ok=True)

    def add(self, name: str, model: onnx.ModelProto, config: str = "", file: str = "model.onnx") -> Repository:
        (self._folder(name, config) / "1").mkdir()
        (self.path / name / "1" / file).write_bytes(model.SerializeToString())
        return self

    def add_sharded_mlp(self, name: str, config: str = "", **arguments) -> Repository:
        write_sharded_mlp(self._folder(name, config) / "1", **arguments)
        return self

    def add_planned_masked_ids(self, name: str, config: str = "") -> Repository:
        write_planned_masked_ids(self._folder(name, config) / "1")
        return self

    def _folder(self, name: str, config: str) -> pathlib.Path:
        folder = self.path / name
        folder.mkdir()
        (folder / "config.pbtxt").write_text(f'backend: "tensorrt"\n{config}\n')
        return folder
