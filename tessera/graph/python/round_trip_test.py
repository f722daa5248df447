"""Models read and written by Tessera mean what they meant: the zoo, and every node test model of the onnx package."""

import os
import pathlib
import subprocess
import warnings

import numpy
import onnx
import onnxruntime
import pytest
from normal_form import normal_form
from onnx.backend.test.case.node import collect_testcases
from random_inputs import random_inputs

ROUND_TRIP = os.environ["TESSERA_ONNX_ROUND_TRIP"]
ZOO = pathlib.Path(os.environ["TESSERA_ZOO"])
ONNX_DATA = pathlib.Path(onnx.__file__).parent / "backend/test/data"


def zoo_models():
    models = sorted(ZOO.glob("*.onnx"))
    assert models, f"no models in {ZOO}: set TESSERA_ZOO"
    return models


def round_trip(pairs):
    subprocess.run([ROUND_TRIP, *(str(path) for pair in pairs for path in pair)], check=True)


def assert_equal_in_meaning(before, after):
    expected, got = normal_form(before), normal_form(after)
    for part, content in expected.items():
        assert got[part] == content, part


def is_valid(model):
    try:
        onnx.checker.check_model(model)
        return True
    except onnx.checker.ValidationError:
        return False


def run(path, inputs):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    return session.run(None, inputs)


@pytest.mark.parametrize("path", zoo_models(), ids=lambda path: path.stem)
def test_zoo_model_means_and_computes_the_same(path, tmp_path):
    written = tmp_path / path.name
    round_trip([(path, written)])
    before, after = onnx.load(path), onnx.load(written)
    assert_equal_in_meaning(before, after)
    onnx.checker.check_model(after, full_check=True)
    inputs = random_inputs(before)
    for expected, got in zip(run(path, inputs), run(written, inputs), strict=True):
        numpy.testing.assert_array_equal(got, expected)


def check_all(models, directory):
    """`models`: name -> ModelProto. All go through one process."""
    pairs = {}
    for number, (name, model) in enumerate(models.items()):
        pairs[name] = (directory / f"{number}.onnx", directory / f"{number}.out.onnx")
        pairs[name][0].write_bytes(model.SerializeToString())
    round_trip(pairs.values())
    wrong = []
    for name, (_, written) in pairs.items():
        after = onnx.load(written)
        try:
            assert_equal_in_meaning(models[name], after)
        except AssertionError as error:
            wrong.append(f"{name}: {str(error)[:200]}")
        if is_valid(models[name]) and not is_valid(after):
            wrong.append(f"{name}: refused by the checker")
    assert not wrong, f"{len(wrong)} of {len(models)}: " + "\n".join(wrong[:20])


def test_every_node_test_model_means_the_same(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {case.name: case.model for case in collect_testcases(None) if case.model is not None}
    assert len(models) > 1000
    check_all(models, tmp_path)


def test_every_stored_test_model_means_the_same(tmp_path):
    models = {str(path.relative_to(ONNX_DATA)): onnx.load(path) for path in ONNX_DATA.glob("**/*.onnx")}
    assert len(models) > 100
    check_all(models, tmp_path)
