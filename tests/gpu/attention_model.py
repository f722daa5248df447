"""Six attention layers as one ONNX model, and its shards over 1, 2 and 4 ranks, without the weights.

    attention_model.py TESSERA FOLDER

FOLDER/RANKS/ holds what `tessera shard --strategy context` wrote, but for the weights: 800 MB that nothing depends on.
weights.txt says how the tests make them: a line "FILE OFFSET COUNT SEED SCALE" for each tensor.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import zlib

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

HIDDEN, HEADS, LAYERS = 4096, 32, 6
WEIGHTS = "weights.bin"


class Model:
    """Collects nodes; each method gives the name of the value that it adds."""

    def __init__(self):
        self.nodes, self.initializers, self.offset = [], [], 0

    def node(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def constant(self, value, name):
        self.initializers.append(numpy_helper.from_array(value, name))
        return name

    def weight(self, name):
        tensor = TensorProto(name=name, data_type=TensorProto.FLOAT16, dims=[HIDDEN, HIDDEN],
                             data_location=TensorProto.EXTERNAL)
        size = HIDDEN * HIDDEN * 2
        for key, value in (("location", WEIGHTS), ("offset", self.offset), ("length", size)):
            tensor.external_data.add(key=key, value=str(value))
        self.offset += size
        self.initializers.append(tensor)
        return name


def add_layer(model: Model, x: str, layer: int, out: str) -> str:
    p = f"layer{layer}."
    split = {}
    for name, order in (("q", [0, 2, 1, 3]), ("k", [0, 2, 3, 1]), ("v", [0, 2, 1, 3])):
        projected = model.node("MatMul", [x, model.weight(f"{p}w{name}")], p + name)
        heads = model.node("Reshape", [projected, "heads"], f"{p}{name}.heads")
        split[name] = model.node("Transpose", [heads], f"{p}{name}.split", perm=order)
    scores = model.node("MatMul", [split["q"], split["k"]], p + "scores")
    scaled = model.node("Mul", [scores, "scale"], p + "scaled")
    softmax = model.node("Softmax", [scaled], p + "softmax", axis=-1)
    mixed = model.node("MatMul", [softmax, split["v"]], p + "mixed")
    joined = model.node("Transpose", [mixed], p + "joined", perm=[0, 2, 1, 3])
    flat = model.node("Reshape", [joined, "hidden"], p + "flat")
    projected = model.node("MatMul", [flat, model.weight(p + "wo")], p + "o")
    return model.node("Add", [x, projected], out)


def write_model(path: pathlib.Path) -> None:
    model = Model()
    depth = HIDDEN // HEADS
    model.constant(np.array([0, 0, HEADS, depth]), "heads")
    model.constant(np.array([0, 0, HIDDEN]), "hidden")
    model.constant(np.array(depth**-0.5, np.float16), "scale")
    x = "x"
    for layer in range(LAYERS):
        x = add_layer(model, x, layer, "y" if layer + 1 == LAYERS else f"x{layer + 1}")
    inputs, outputs = ([helper.make_tensor_value_info(name, TensorProto.FLOAT16, [1, "sequence", HIDDEN])]
                       for name in ("x", "y"))
    graph = helper.make_graph(model.nodes, "attention", inputs, outputs, model.initializers)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), path)
    with open(path.parent / WEIGHTS, "wb") as file:
        file.truncate(model.offset)  # zeros that take no room: the plan does not depend on them


def list_weights(rank: pathlib.Path) -> str:
    lines = []
    for tensor in onnx.load(rank, load_external_data=False).graph.initializer:
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        where = {entry.key: entry.value for entry in tensor.external_data}
        count = int(np.prod(tensor.dims))
        seed = zlib.crc32(tensor.name.encode()) % 65536  # the same in every shard
        lines.append(f"{where['location']} {where.get('offset', 0)} {count} {seed} {(3 / HIDDEN) ** 0.5:.6f}")
    assert len(lines) == 4 * LAYERS
    return "\n".join(lines) + "\n"


def main(tessera: str, folder: str) -> None:
    with tempfile.TemporaryDirectory() as made:
        model = pathlib.Path(made) / "attention.onnx"
        write_model(model)
        for ranks in (1, 2, 4):
            repository = pathlib.Path(made) / "repository"
            subprocess.run([tessera, "shard", model, "--ranks", str(ranks), "-o", repository, "--strategy", "context",
                            "--engine", "tensorrt", "--dim", "sequence=8192", "--json"],
                           check=True, stdout=subprocess.DEVNULL)
            version = repository / "attention" / "1"
            shard = pathlib.Path(folder) / str(ranks)
            shard.mkdir(parents=True)
            files = [version / f"model.onnx.rank{rank}" for rank in range(ranks)]
            assert all(file.read_bytes() == files[0].read_bytes() for file in files), "the ranks' engines differ"
            shutil.copy(files[0], shard)
            shutil.copy(version / "plan.json", shard)
            (shard / "weights.txt").write_text(list_weights(files[0]))
            shutil.rmtree(repository)


if __name__ == "__main__":
    main(*sys.argv[1:])
