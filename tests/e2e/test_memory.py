"""A model on 4 ranks costs about the memory of the whole one: weights are mapped once, each rank has its part."""

from __future__ import annotations

import pathlib

import numpy as np
import onnx
import pytest
from clients import Client
from onnx import TensorProto, external_data_helper, helper, numpy_helper
from server import TritonServer

RANKS = 4
LAYERS = 12
HIDDEN = 1024
LIMIT = 1.25


def save_mlp(file: pathlib.Path) -> None:
    """12 residual MLP blocks, 1024 -> 4096 -> 1024: 403 MB of weights beside the file. Batch is free."""
    random = np.random.default_rng(0)
    nodes, weights, value = [], [], "x"
    for layer in range(LAYERS):
        for name, shape in ((f"up{layer}", (HIDDEN, 4 * HIDDEN)), (f"down{layer}", (4 * HIDDEN, HIDDEN))):
            values = random.standard_normal(shape, np.float32) / np.float32(np.sqrt(shape[0]))
            weights.append(numpy_helper.from_array(values, name))
        output = "y" if layer == LAYERS - 1 else f"sum{layer}"
        nodes += [helper.make_node("MatMul", [value, f"up{layer}"], [f"wide{layer}"]),
                  helper.make_node("Relu", [f"wide{layer}"], [f"relu{layer}"]),
                  helper.make_node("MatMul", [f"relu{layer}", f"down{layer}"], [f"narrow{layer}"]),
                  helper.make_node("Add", [value, f"narrow{layer}"], [output])]
        value = output
    info = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", HIDDEN]) for name in "xy"]
    graph = helper.make_graph(nodes, "mlp", info[:1], info[1:], initializer=weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    external_data_helper.convert_model_to_external_data(model, location="weights.bin", size_threshold=1024)
    onnx.save(model, file)


def resident_bytes(repository: pathlib.Path, backends: pathlib.Path, name: str | None) -> int:
    """Of a server after some requests to its model, mapped files included; None = a server without a model."""
    with TritonServer(repository, backends) as server:
        if name:
            client = Client(server, "grpc")
            for batch in (1, 8, 8, 8):
                client.infer(name, {"x": np.ones((batch, HIDDEN), np.float32)})
        return server.resident_bytes()


@pytest.mark.seconds(180)
def test_four_ranks_cost_little_more_than_the_whole_model(program, backends, tmp_path):
    """The costs are those of the servers' processes less that of a server without a model, which is the stricter
    comparison: the whole model alone pays for OpenVINO itself in full, too."""
    empty, whole, split = (tmp_path / name for name in ("empty", "whole", "split"))
    (whole / "mlp/1").mkdir(parents=True)
    empty.mkdir()
    save_mlp(whole / "mlp/1/model.onnx")
    program.shard(whole / "mlp/1/model.onnx", RANKS, split, "mlp")
    base = resident_bytes(empty, backends, None)
    of_whole = resident_bytes(whole, backends, "mlp")
    of_split = resident_bytes(split, backends, "mlp")
    ratio, net_ratio = of_split / of_whole, (of_split - base) / (of_whole - base)
    print(f"\nresident: empty {base / 2**20:.0f} MiB, whole {of_whole / 2**20:.0f} MiB, {RANKS} ranks "
          f"{of_split / 2**20:.0f} MiB: {ratio:.2f}x, without the server itself {net_ratio:.2f}x")
    assert net_ratio <= LIMIT
