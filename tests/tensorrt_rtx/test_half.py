"""`tessera build --fp16` and `--bf16`: what such ranks answer, worked out operator by operator, and that the real builder
takes them.

A bound has two parts. 5e-3 (FP16) and 2e-2 (BF16, which has 3 bits less) of an output's largest value; and twice the error of
the whole model when nothing but rounding is done to it, after every operator. 2 and 4 ranks of the models here were 4e-4 to
1.4e-3 and 3e-3 to 1e-2 off, at most 1.3 times as far as that.
"""

import json
import pathlib
import re
import subprocess
import sys

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

for folder in ("gpu", "e2e"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

from half import HALVES, in_half, to_half  # noqa: E402
from half_operators import operator_model  # noqa: E402
from half_ranks import HalfRanks, RoundedModel  # noqa: E402
from reference import Reference, worst_relative_error  # noqa: E402

MODELS = ["bert_dyn", "gpt2", "llama_gqa_op18", "llama_gqa_op23", "vit"]
HALF_CHOICE = pathlib.Path(__file__).resolve().parents[2] / "tessera/graph/half_choice.cc"
LIMITS = {"fp16": 5e-3, "bf16": 2e-2}


@pytest.fixture(params=MODELS)
def model(request, zoo):
    return zoo / f"{request.param}.onnx"


@pytest.fixture(params=HALVES)
def narrow(request):
    return request.param


@pytest.fixture
def shard(program, tmp_path):
    """shard(model, ranks): the directory of its ranks in FP32."""
    def shard(model, ranks=2):
        strategy = "tensor" if ranks > 1 else "auto"
        program.shard(model, ranks, tmp_path / "repo", "model", "--strategy", strategy, "--engine", "tensorrt")
        return tmp_path / "repo/model/1"

    return shard


@pytest.fixture
def sharded(model, shard):
    return shard(model)


def plan_of(version):
    return json.loads((version / "plan.json").read_text())


@pytest.fixture
def narrowed(tessera, tmp_path):
    """narrowed(version, narrow): a directory of the same ranks in 16 bits, made by the code that `tessera build` calls."""
    def narrowed(version, narrow):
        made = tmp_path / narrow
        made.mkdir()
        subprocess.run([tessera.parent / "half_ranks", version, narrow.upper(), made], check=True)
        return made

    return narrowed


@pytest.fixture
def halves(sharded, narrow, narrowed):
    return narrowed(sharded, narrow)


def test_ranks_answer_like_the_model_in_fp32(model, halves, narrow):
    reference = Reference(model)
    inputs = reference.random_inputs()
    wanted = reference.answer(inputs)
    error = worst_relative_error(HalfRanks(halves).answer(inputs), wanted)
    rounding = RoundedModel(onnx.load(model), HALVES[narrow]).answer(inputs)
    assert 0 < error <= LIMITS[narrow]
    assert error <= 2 * worst_relative_error({name: rounding[name] for name in wanted}, wanted)


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


def test_bf16_answers_where_fp16_overflows(far, shard, narrowed):
    version, reference = shard(far), Reference(far)
    inputs = reference.random_inputs()
    with np.errstate(over="ignore", invalid="ignore"):
        answers = {narrow: HalfRanks(narrowed(version, narrow)).answer(inputs) for narrow in HALVES}
    assert not np.isfinite(answers["fp16"]["y"]).all()
    assert worst_relative_error(answers["bf16"], reference.answer(inputs)) <= LIMITS["bf16"]


def test_inputs_and_outputs_keep_their_types(sharded, halves):
    for rank, half in enumerate(HalfRanks(halves).files):
        before, after = onnx.load(sharded / f"model.onnx.rank{rank}").graph, onnx.load(half).graph
        assert list(before.input) == list(after.input) and list(before.output) == list(after.output)


@pytest.mark.parametrize("model", ["gpt2"], indirect=True)
def test_engines_are_built_and_the_plan_tells_what_collectives_carry(sharded, build, narrow):
    once = plan_of(sharded)
    assert {c["type"] for c in once["collectives"]} == {"FP32"}
    report = build(sharded.parent, f"--{narrow}")
    assert report["counted_in"] == "engine" and report[narrow][f"in_{narrow}"] > report[narrow]["in_fp32"] > 0
    assert report[narrow]["clamped"] > 0, "gpt2's masks are of the lowest FP32 number"
    plan = plan_of(sharded)
    assert plan["build"][narrow] is True and plan["build"]["sources"][0]["model"] == once["ranks"][0]["model"]
    assert [{**c, "type": "FP32", "bytes": 2 * c["bytes"]} for c in plan["collectives"]] == once["collectives"]
    assert {c["type"] for c in plan["collectives"]} == {narrow.upper()}
    assert plan["outputs"] == once["outputs"]
    assert plan["probe"]["outputs"][0]["tolerance"] == {"fp16": 5e-3, "bf16": 4e-2}[narrow]
    assert narrow not in build(sharded.parent)
    assert plan_of(sharded)["collectives"] == once["collectives"]
    assert narrow not in plan_of(sharded)["build"]


@pytest.mark.parametrize("model", ["vit"], indirect=True)
def test_both_at_once_are_refused(sharded, tessera):
    done = subprocess.run([tessera, "build", sharded.parent, "--fp16", "--bf16"], capture_output=True, text=True, check=False)
    assert done.returncode == 2 and "--fp16 and --bf16 were both given" in done.stderr


def test_the_real_builder_takes_all_ranks(halves, sharded, really_build):
    for built in really_build(HalfRanks(halves).files):
        assert not built["errors"]
        assert [name for name, _ in built["network"]] == [c["name"] for c in plan_of(sharded)["collectives"]]
        assert sorted(name for name, _ in built["engine"]) == sorted(name for name, _ in built["network"])


@pytest.fixture
def exported(model, shard, tmp_path):
    """Two ranks of a model that is in BF16 itself, inputs and outputs included."""
    onnx.save(to_half(onnx.load(model), HALVES["bf16"]), tmp_path / "bf16.onnx")
    return shard(tmp_path / "bf16.onnx")


@pytest.mark.parametrize("model", ["gpt2", "vit"], indirect=True)
def test_a_model_in_bf16_is_sharded_in_bf16(model, exported):
    reference = Reference(model)
    inputs = reference.random_inputs()
    given = {name: in_half(value, HALVES["bf16"]) for name, value in inputs.items()}
    answers = HalfRanks(exported).answer(given)
    assert {c["type"] for c in plan_of(exported)["collectives"]} == {"BF16"}
    assert {answer.dtype for answer in answers.values()} == {HALVES["bf16"]}
    wide = {name: answer.astype(np.float32) for name, answer in answers.items()}
    assert worst_relative_error(wide, reference.answer(inputs)) <= LIMITS["bf16"]


@pytest.mark.parametrize("model", ["gpt2", "vit"], indirect=True)
def test_the_real_builder_takes_a_model_in_bf16(exported, really_build):
    for built in really_build(HalfRanks(exported).files):
        assert not built["errors"]
        assert sorted(name for name, _ in built["engine"]) == sorted(c["name"] for c in plan_of(exported)["collectives"])


@pytest.fixture
def operators(tmp_path):
    """A model of all operators that compute in 16 bits."""
    made = operator_model()
    listed = re.search(r"kInHalf\{(.*?)\}", HALF_CHOICE.read_text(), re.DOTALL)[1]
    assert set(made.operators) == set(re.findall(r'"(\w+)"', listed))
    onnx.save(made.model(), tmp_path / "operators.onnx")
    return tmp_path / "operators.onnx"


@pytest.fixture
def half_operators(operators, shard, narrow, narrowed):
    return narrowed(shard(operators, 1), narrow)


def test_every_operator_answers_as_in_fp32(operators, half_operators, narrow):
    reference = Reference(operators)
    inputs = reference.random_inputs()
    assert worst_relative_error(HalfRanks(half_operators).answer(inputs), reference.answer(inputs)) <= LIMITS[narrow]


def test_the_real_builder_takes_every_operator(half_operators, really_build):
    [built] = really_build(HalfRanks(half_operators).files)
    assert not built["errors"]
