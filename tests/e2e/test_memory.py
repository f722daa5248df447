"""A model on 4 ranks costs about the memory of the whole one: weights are mapped once, each rank has its part."""

from __future__ import annotations

import pathlib
import subprocess
import sys

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
BATCHES = (1, 8, 8, 8)


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


# A process that serves the model whole, as OpenVINO does it: prints what it costs beyond the process without a model.
OPENVINO = """
import pathlib, sys, numpy, openvino
def resident():
    return int(pathlib.Path("/proc/self/statm").read_text().split()[1]) * 4096
core = openvino.Core()
core.available_devices  # loads the CPU plugin
base = resident()
model = core.compile_model(sys.argv[1], "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
request = model.create_infer_request()
for batch in map(int, sys.argv[2:]):
    request.infer([numpy.ones((batch, model.input(0).partial_shape[1].get_length()), numpy.float32)])
print(resident() - base)
"""


def cost_in_openvino(model: pathlib.Path) -> int:
    done = subprocess.run([sys.executable, "-c", OPENVINO, model, *map(str, BATCHES)], capture_output=True, text=True,
                          check=True, timeout=100)
    return int(done.stdout)


def cost_in_triton(repository: pathlib.Path, backends: pathlib.Path, empty: pathlib.Path) -> int:
    """Of a server after requests to its model, less that of a server without a model (and without the backend)."""
    with TritonServer(empty, backends) as server:
        base = server.resident_bytes()
    with TritonServer(repository, backends) as server:
        client = Client(server, "grpc")
        for batch in BATCHES:
            client.infer("mlp", {"x": np.ones((batch, HIDDEN), np.float32)})
        return server.resident_bytes() - base


@pytest.mark.seconds(180)
def test_four_ranks_cost_little_more_than_the_whole_model_in_openvino(program, backends, tmp_path):
    """Resident memory, mapped files included. The server's part pays for OpenVINO's libraries, too; the other does
    not: the stricter comparison."""
    empty = tmp_path / "empty"
    empty.mkdir()
    save_mlp(tmp_path / "mlp.onnx")
    program.shard(tmp_path / "mlp.onnx", RANKS, tmp_path / "repository", "mlp")
    whole = cost_in_openvino(tmp_path / "mlp.onnx")
    split = cost_in_triton(tmp_path / "repository", backends, empty)
    print(f"\n{LAYERS * 8 * HIDDEN * HIDDEN * 4 / 2**20:.0f} MiB of weights: whole in OpenVINO {whole / 2**20:.0f} MiB, "
          f"{RANKS} ranks in Triton {split / 2**20:.0f} MiB: {split / whole:.2f}x")
    assert split <= LIMIT * whole
