"""Single operators as `tessera build --fp16` and `--bf16` make them: all that become 16 bits, and where range or whole
numbers need more."""

import pathlib
import re

import numpy as np
import onnx
import pytest
from half import HALVES
from half_operators import operator_model
from half_ranks import HalfRanks
from onnx import TensorProto, helper, numpy_helper
from reference import Reference, worst_relative_error

HALF_CHOICE = pathlib.Path(__file__).resolve().parents[2] / "tessera/graph/half_choice.cc"
LIMITS = {"fp16": 5e-3, "bf16": 2e-2}


@pytest.fixture
def operators(tmp_path):
    """A model of all operators that compute in 16 bits."""
    made = operator_model()
    listed = re.search(r"kInHalf\{(.*?)\}", HALF_CHOICE.read_text(), re.DOTALL)[1]
    assert set(made.operators) == set(re.findall(r'"(\w+)"', listed))
    onnx.save(made.model(), tmp_path / "operators.onnx")
    return tmp_path / "operators.onnx"


@pytest.fixture
def half_operators(operators, in_fp32, narrow, in_16_bits):
    return in_16_bits(in_fp32(operators, 1), narrow)


def test_every_operator_answers_as_in_fp32(operators, half_operators, narrow):
    reference = Reference(operators)
    inputs = reference.random_inputs()
    assert worst_relative_error(HalfRanks(half_operators).answer(inputs), reference.answer(inputs)) <= LIMITS[narrow]


def test_the_real_builder_takes_every_operator(half_operators, really_build):
    [built] = really_build(HalfRanks(half_operators).files)
    assert not built["errors"]


@pytest.fixture
def far(tmp_path):
    """Two products; what is between them goes to 1e6."""
    random = np.random.default_rng(0)
    weights = [numpy_helper.from_array(random.standard_normal((64, 64), np.float32) * np.float32(scale), name)
               for name, scale in (("up", 3e4), ("down", 1e-6))]
    nodes = [helper.make_node("MatMul", ["x", "up"], ["far"]), helper.make_node("Relu", ["far"], ["kept"]),
             helper.make_node("MatMul", ["kept", "down"], ["y"])]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [8, 64]) for name in "xy")
    model = helper.make_model(helper.make_graph(nodes, "far", [x], [y], weights), ir_version=10,
                              opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, tmp_path / "far.onnx")
    return tmp_path / "far.onnx"


def test_bf16_answers_where_fp16_overflows(far, in_fp32, in_16_bits):
    version, reference = in_fp32(far), Reference(far)
    inputs = reference.random_inputs()
    with np.errstate(over="ignore", invalid="ignore"):
        answers = {narrow: HalfRanks(in_16_bits(version, narrow)).answer(inputs) for narrow in HALVES}
    assert not np.isfinite(answers["fp16"]["y"]).all()
    assert worst_relative_error(answers["bf16"], reference.answer(inputs)) <= LIMITS["bf16"]


@pytest.fixture
def masked(tmp_path):
    """x, negated where a position, a whole number in FP32, is not below the last one."""
    nodes = [helper.make_node("Cast", ["position"], ["number"], to=TensorProto.FLOAT),
             helper.make_node("Sub", ["number", "last"], ["distance"]), helper.make_node("Less", ["distance", "zero"], ["below"]),
             helper.make_node("Neg", ["x"], ["minus"]), helper.make_node("Where", ["below", "x", "minus"], ["y"])]
    constants = [numpy_helper.from_array(np.float32(value), name) for name, value in (("last", 2999), ("zero", 0))]
    inputs = [helper.make_tensor_value_info(name, elements, [3000])
              for name, elements in (("position", TensorProto.INT64), ("x", TensorProto.FLOAT))]
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [3000])
    onnx.save(helper.make_model(helper.make_graph(nodes, "masked", inputs, [y], constants), ir_version=10,
                                opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "masked.onnx")
    return tmp_path / "masked.onnx"


def test_positions_are_compared_exactly(masked, in_fp32, narrow, in_16_bits):
    inputs = {"position": np.arange(3000), "x": np.ones(3000, np.float32)}
    answer = HalfRanks(in_16_bits(in_fp32(masked, 1), narrow)).answer(inputs)["y"]
    np.testing.assert_array_equal(answer, [*np.ones(2999), -1])
