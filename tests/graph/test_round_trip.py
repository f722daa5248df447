"""Models read and written by Tessera mean what they meant: the zoo, and every node test model of the onnx package."""

import pathlib
import subprocess
import warnings

import numpy
import onnx
import onnxruntime
from normal_form import normal_form
from onnx.backend.test.case.node import collect_testcases
from onnx_inputs import random_inputs

ONNX_DATA = pathlib.Path(onnx.__file__).parent / "backend/test/data"


def round_trip(program, pairs):
    subprocess.run([program, *(str(path) for pair in pairs for path in pair)], check=True)


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


def test_zoo_model_means_and_computes_the_same(onnx_round_trip, zoo_model, tmp_path):
    written = tmp_path / zoo_model.name
    round_trip(onnx_round_trip, [(zoo_model, written)])
    before, after = onnx.load(zoo_model), onnx.load(written)
    assert_equal_in_meaning(before, after)
    onnx.checker.check_model(after, full_check=True)
    inputs = random_inputs(before)
    for expected, got in zip(run(zoo_model, inputs), run(written, inputs), strict=True):
        numpy.testing.assert_array_equal(got, expected)


def check_all(program, models, directory):
    """`models`: name -> ModelProto. All go through one process."""
    pairs = {}
    for number, (name, model) in enumerate(models.items()):
        pairs[name] = (directory / f"{number}.onnx", directory / f"{number}.out.onnx")
        pairs[name][0].write_bytes(model.SerializeToString())
    round_trip(program, pairs.values())
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


def test_every_node_test_model_means_the_same(onnx_round_trip, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        models = {case.name: case.model for case in collect_testcases(None) if case.model is not None}
    assert len(models) > 1000
    check_all(onnx_round_trip, models, tmp_path)


def test_every_stored_test_model_means_the_same(onnx_round_trip, tmp_path):
    models = {str(path.relative_to(ONNX_DATA)): onnx.load(path) for path in ONNX_DATA.glob("**/*.onnx")}
    assert len(models) > 100
    check_all(onnx_round_trip, models, tmp_path)
