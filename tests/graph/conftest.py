"""Fixtures of the tests that compare Tessera's reading of ONNX with the onnx package and onnxruntime."""

import pytest
from zoo_models import ZOO_MODELS


def _tool(tessera, name):
    program = tessera.parent / name
    if not program.is_file():
        pytest.fail(f"no program at {program}: './dev test' makes it")
    return program


@pytest.fixture(scope="session")
def onnx_round_trip(tessera):
    """Reads and writes models: IN OUT IN OUT .."""
    return _tool(tessera, "onnx_round_trip")


@pytest.fixture(scope="session")
def onnx_infer_shapes(tessera):
    """Prints what is inferred of each model, a line of JSON each."""
    return _tool(tessera, "onnx_infer_shapes")


@pytest.fixture(params=ZOO_MODELS)
def zoo_model(request, zoo):
    """Each model of the zoo: its file."""
    return zoo / f"{request.param}.onnx"
