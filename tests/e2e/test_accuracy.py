"""Sharded models, served by a real Triton, against onnxruntime on the unsharded file."""

import pytest
from clients import Client
from reference import worst_relative_error
from served_models import ZOO

MINILM_RANKS = [1, 2, 3, 4, 6]
SHAPES = [(1, 1), (1, 128), (2, 7), (3, 33), (4, 17), (5, 64), (7, 2), (8, 1), (8, 128)]  # batch, length


@pytest.fixture(params=MINILM_RANKS, ids="{}-ranks".format)
def minilm_name(request, sharded):
    name = f"minilm_{request.param}"
    sharded.report(name)
    return name


@pytest.mark.parametrize("protocol", ["http", "grpc"])
def test_minilm_equals_onnxruntime(minilm_name, protocol, served, reference):
    client = Client(served, protocol)
    for seed, (batch, length) in enumerate(SHAPES):
        inputs = reference("minilm").random_inputs(batch, length, seed)
        error = worst_relative_error(client.infer(minilm_name, inputs), reference("minilm").answer(inputs))
        assert error <= 2e-5, f"batch {batch}, length {length}"


@pytest.mark.parametrize("strategy", ["auto", "tensor"])
@pytest.mark.parametrize("source", ZOO)
def test_zoo_on_two_ranks_equals_onnxruntime(source, strategy, sharded, served, reference):
    name = f"{source}_{strategy}"
    if strategy == "tensor":
        assert sharded.report(name)["collectives"], "nothing was split"
    sharded.report(name)
    client = Client(served, "grpc")
    sizes = [(1, 1), (2, 16), (5, 9), (8, 24)] if source.endswith("_dyn") else [(2, 16)]
    for seed, (batch, length) in enumerate(sizes):
        inputs = reference(source).random_inputs(batch, length, seed)
        error = worst_relative_error(client.infer(name, inputs), reference(source).answer(inputs))
        assert error <= 1e-5, f"batch {batch}, length {length}"
