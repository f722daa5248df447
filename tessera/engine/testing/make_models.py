"""Writes the models of the engines' conformance suite: python make_models.py DIRECTORY

Each is a directory as `tessera shard` makes it, sharded here by hand: plan.json, model.onnx.rank{r}, weights beside
them. The suite (conformance.h) computes what each must answer.
"""
import hashlib
import json
import pathlib
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

NAMES = {
    TensorProto.FLOAT: "FP32", TensorProto.FLOAT16: "FP16", TensorProto.BFLOAT16: "BF16", TensorProto.DOUBLE: "FP64",
    TensorProto.INT8: "INT8", TensorProto.INT16: "INT16", TensorProto.INT32: "INT32", TensorProto.INT64: "INT64",
    TensorProto.UINT8: "UINT8", TensorProto.BOOL: "BOOL",
}
REPLICATED = {"kind": "replicated"}


def split(axis):
    return {"kind": "split", "axis": axis}


def collective(name, op, source, target, ranks, reduce="none", root=-1, domain="tessera"):
    node = helper.make_node("DistCollective", [source], [target], name=name, domain=domain, collective_operation=op,
                            reduce_op=reduce, root=root, nb_rank=ranks, group_size=0)
    node.attribute.append(helper.make_attribute("groups", [], attr_type=onnx.AttributeProto.INTS))
    return node


def tensor(name, kind, shape, layout=REPLICATED, ranks=1):
    """The plan's (global) entry, and the rank's ONNX value."""
    local = list(shape)
    if layout["kind"] == "split" and isinstance(local[layout["axis"]], int):
        local[layout["axis"]] //= ranks
    plan = {"name": name, "type": NAMES[kind], "shape": [d if isinstance(d, int) else -1 for d in shape],
            "dims": ["" if isinstance(d, int) else d for d in shape], "layout": layout}
    return plan, helper.make_tensor_value_info(name, kind, local)


def artifact(file):
    data = file.read_bytes()
    return {"file": file.name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}


class Model:
    """One directory; `graph(rank)` gives a rank's nodes and initializers."""

    def __init__(self, directory, inputs, outputs, graph, ranks=2, collectives=(), domain="tessera"):
        directory.mkdir(parents=True, exist_ok=True)
        self.directory, self.ranks, self.domain = directory, ranks, domain
        self.inputs = [tensor(*i, ranks=ranks) for i in inputs]
        self.outputs = [tensor(*o, ranks=ranks) for o in outputs]
        parts = [self.write_rank(rank, *graph(rank)) for rank in range(ranks)]
        plan = {
            "format": "tessera-plan", "version": 1, "model_name": directory.name, "source_sha256": "",
            "strategy": "tensor", "engine": "openvino", "mesh": [{"axis": "tp", "size": ranks}], "ranks": parts,
            "inputs": [plan for plan, _ in self.inputs], "outputs": [plan for plan, _ in self.outputs],
            "collectives": [{"name": n, "op": op, "reduce": reduce, "axis": "tp", "type": kind, "shape": shape,
                             "bytes": 0} for n, op, reduce, kind, shape in collectives],
            "predicted_us": 0,
        }
        (directory / "plan.json").write_text(json.dumps(plan, indent=1))

    def write_rank(self, rank, nodes, weights):
        graph = helper.make_graph(nodes, self.directory.name, [v for _, v in self.inputs],
                                  [v for _, v in self.outputs],
                                  [numpy_helper.from_array(a, n) for n, a in weights.items()])
        opsets = [helper.make_opsetid("", 17)] + ([helper.make_opsetid(self.domain, 1)] if self.domain else [])
        model = helper.make_model(graph, opset_imports=opsets, ir_version=9)
        file = self.directory / f"model.onnx.rank{rank}"
        data = self.directory / f"weights.rank{rank}"
        data.unlink(missing_ok=True)
        onnx.save_model(model, str(file), save_as_external_data=bool(weights), location=data.name, size_threshold=0,
                        convert_attribute=False)
        external = [artifact(data)] if data.exists() else []
        return {"model": artifact(file), "weights": external, "weight_bytes": sum(a.nbytes for a in weights.values())}


def mlp(root, name, batch, ranks=2, domain="tessera"):
    """y = relu(x W1) W2 + b: W1 by columns, W2 by rows, one all_reduce."""
    hidden, width = 16, 8
    w1 = np.fromfunction(lambda i, j: (i + 2 * j) % 5 - 2, (width, hidden)).astype(np.float32)
    w2 = np.fromfunction(lambda i, j: (3 * i + j) % 7 - 3, (hidden, width)).astype(np.float32)
    bias = np.arange(width, dtype=np.float32)
    part = hidden // ranks

    def graph(rank):
        mine = slice(rank * part, (rank + 1) * part)
        nodes = [helper.make_node("MatMul", ["x", "w1"], ["h"]), helper.make_node("Relu", ["h"], ["r"]),
                 helper.make_node("MatMul", ["r", "w2"], ["p"]),
                 collective("sum", "all_reduce", "p", "s", ranks, "sum", domain=domain),
                 helper.make_node("Add", ["s", "bias"], ["y"])]
        return nodes, {"w1": np.ascontiguousarray(w1[:, mine]), "w2": np.ascontiguousarray(w2[mine]), "bias": bias}

    Model(root / name, [("x", TensorProto.FLOAT, [batch, width])], [("y", TensorProto.FLOAT, [batch, width])], graph,
          ranks, [("sum", "all_reduce", "sum", "FP32", [-1, width])], domain)


def split_rows(root):
    """Each rank has half the rows: y = 2x by rows, m = the largest of each column over all rows."""
    def graph(_):
        return [helper.make_node("Add", ["x", "x"], ["y"]),
                helper.make_node("ReduceMax", ["x"], ["local"], axes=[0], keepdims=1),
                collective("max", "all_reduce", "local", "m", 2, "max")], {}

    Model(root / "split_rows", [("x", TensorProto.FLOAT, ["rows", 3], split(0))],
          [("y", TensorProto.FLOAT, ["rows", 3], split(0)), ("m", TensorProto.FLOAT, [1, 3])], graph,
          collectives=[("max", "all_reduce", "max", "FP32", [1, 3])])


def split_columns(root):
    """Each rank has half the columns, all are gathered: a fixed shape, strided parts, an output on rank 1 alone."""
    def graph(_):
        return [helper.make_node("Neg", ["x"], ["n"]), helper.make_node("Transpose", ["n"], ["t"], perm=[1, 0]),
                collective("gather", "all_gather", "t", "g", 2), helper.make_node("Transpose", ["g"], ["all"]),
                helper.make_node("Relu", ["x"], ["y"]),
                collective("to1", "reduce", "y", "one", 2, "sum", root=1)], {}

    Model(root / "split_columns", [("x", TensorProto.FLOAT, [4, 6], split(1))],
          [("all", TensorProto.FLOAT, [4, 6]), ("y", TensorProto.FLOAT, [4, 6], split(1)),
           ("one", TensorProto.FLOAT, [4, 3], {"kind": "rank", "rank": 1})], graph,
          collectives=[("gather", "all_gather", "none", "FP32", [3, 4]), ("to1", "reduce", "sum", "FP32", [4, 3])])


def constant_and_twins(root):
    """y = AR(c) + AR(x) + AR(x): a collective of a constant, which differs by rank, and two that look alike."""
    def graph(rank):
        return [collective("constant", "all_reduce", "c", "a", 2, "sum"),
                collective("twin0", "all_reduce", "x", "b", 2, "sum"),
                collective("twin1", "all_reduce", "x", "d", 2, "sum"), helper.make_node("Add", ["a", "b"], ["e"]),
                helper.make_node("Add", ["e", "d"], ["y"])], {"c": np.full([2], 10.0 ** rank, np.float32)}

    Model(root / "constant_and_twins", [("x", TensorProto.FLOAT, [2])], [("y", TensorProto.FLOAT, [2])], graph,
          collectives=[(n, "all_reduce", "sum", "FP32", [2]) for n in ("constant", "twin0", "twin1")])


def types(root):
    """Every type through a collective and back: y_T = all_gather(x_T), dynamic length."""
    kinds = [TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.INT8, TensorProto.INT32,
             TensorProto.INT64, TensorProto.BOOL]
    for kind in kinds:
        def graph(_):
            return [collective("gather", "all_gather", "x", "y", 2)], {}
        Model(root / f"type_{NAMES[kind]}", [("x", kind, ["n", 2])], [("y", kind, ["n2", 2])], graph,
              collectives=[("gather", "all_gather", "none", NAMES[kind], [-1, 2])])


def single(root):
    """One rank, without collectives or plan: y = x + 1, dynamic; and two sizes that must agree (no warm-up)."""
    def save(name, nodes, inputs, outputs, weights):
        (root / name).mkdir(parents=True, exist_ok=True)
        graph = helper.make_graph(nodes, name, inputs, outputs, [numpy_helper.from_array(a, n) for n, a in weights.items()])
        onnx.save_model(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9),
                        str(root / name / "model.onnx"))

    info = helper.make_tensor_value_info
    save("single", [helper.make_node("Add", ["x", "one"], ["y"])], [info("x", TensorProto.FLOAT, ["n", 4])],
         [info("y", TensorProto.FLOAT, ["n", 4])], {"one": np.ones(1, np.float32)})
    save("picky", [helper.make_node("Concat", ["x", "x"], ["xx"], axis=0),
                   helper.make_node("Reshape", ["xx", "six"], ["y"])],
         [info("x", TensorProto.FLOAT, ["n"])], [info("y", TensorProto.FLOAT, [6])],
         {"six": np.array([6], np.int64)})
    save("range", [helper.make_node("Range", ["from", "to", "step"], ["y"])],
         [info(name, TensorProto.INT64, []) for name in ("from", "to", "step")], [info("y", TensorProto.INT64, ["n"])], {})
    save("untyped", [helper.make_node("NoSuchOp", ["x"], ["y"], name="odd")], [info("x", TensorProto.FLOAT, [1])],
         [info("y", TensorProto.FLOAT, [1])], {})


def main():
    root = pathlib.Path(sys.argv[1])
    mlp(root, "mlp", "batch")
    mlp(root, "mlp_fixed", 4)
    mlp(root, "mlp4", "batch", ranks=4)
    mlp(root, "mlp_default_domain", "batch", domain="")
    mlp(root, "mlp_other_domain", "batch", domain="com.example")
    split_rows(root)
    split_columns(root)
    constant_and_twins(root)
    types(root)
    single(root)
    (root / "done").touch()


main()
