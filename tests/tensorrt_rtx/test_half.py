"""`tessera build --fp16` and `--bf16`: what such ranks answer, worked out operator by operator, and that the real builder
takes them.

A bound has two parts. 5e-3 (FP16) and 2e-2 (BF16, which has 3 bits less) of an output's largest value; and twice the error of
the whole model when nothing but rounding is done to it, after every operator. 2 and 4 ranks of the models here were 4e-4 to
1.4e-3 and 3e-3 to 1e-2 off, at most 1.3 times as far as that.
"""

import json
import subprocess

import numpy as np
import onnx
import pytest

from half import HALVES, in_half, to_half
from half_ranks import HalfRanks, RoundedModel
from reference import Reference, worst_relative_error

MODELS = ["bert_dyn", "gpt2", "llama_gqa_op18", "llama_gqa_op23", "vit"]
LIMITS = {"fp16": 5e-3, "bf16": 2e-2}


@pytest.fixture(params=MODELS)
def model(request, zoo):
    return zoo / f"{request.param}.onnx"


@pytest.fixture
def sharded(model, in_fp32):
    return in_fp32(model)


def plan_of(version):
    return json.loads((version / "plan.json").read_text())


@pytest.fixture
def halves(sharded, narrow, in_16_bits):
    return in_16_bits(sharded, narrow)


def test_ranks_answer_like_the_model_in_fp32(model, halves, narrow):
    reference = Reference(model)
    inputs = reference.random_inputs()
    wanted = reference.answer(inputs)
    error = worst_relative_error(HalfRanks(halves).answer(inputs), wanted)
    rounding = RoundedModel(onnx.load(model), HALVES[narrow]).answer(inputs)
    assert 0 < error <= LIMITS[narrow]
    assert error <= 2 * worst_relative_error({name: rounding[name] for name in wanted}, wanted)


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
def exported(model, in_fp32, tmp_path):
    """Two ranks of a model that is in BF16 itself, inputs and outputs included."""
    onnx.save(to_half(onnx.load(model), HALVES["bf16"]), tmp_path / "bf16.onnx")
    return in_fp32(tmp_path / "bf16.onnx")


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
