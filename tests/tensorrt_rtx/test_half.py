"""`tessera build --fp16`: what ranks in FP16 answer, worked out operator by operator, and that the real builder takes them."""

import json
import pathlib
import subprocess
import sys

import numpy as np
import onnx
import pytest

for folder in ("gpu", "e2e"):
    sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / folder))

from half_ranks import HalfRanks  # noqa: E402
from reference import Reference, worst_relative_error  # noqa: E402

MODELS = ["bert_dyn", "gpt2", "llama_gqa_op18", "vit"]


@pytest.fixture(params=MODELS)
def model(request, zoo):
    return zoo / f"{request.param}.onnx"


@pytest.fixture
def sharded(model, program, tmp_path):
    """The directory of two ranks in FP32."""
    program.shard(model, 2, tmp_path / "repo", "model", "--strategy", "tensor", "--engine", "tensorrt")
    return tmp_path / "repo/model/1"


def plan_of(version):
    return json.loads((version / "plan.json").read_text())


@pytest.fixture
def halves(tessera, sharded, tmp_path):
    """The ranks' files in FP16, made by the code that `tessera build` calls."""
    made = [tmp_path / f"half{rank}.onnx" for rank in range(2)]
    for rank, file in enumerate(made):
        subprocess.run([tessera.parent / "onnx_to_half", sharded / f"model.onnx.rank{rank}", file], check=True,
                       stdout=subprocess.DEVNULL)
    return made


def joined(ranks, plan):
    """The outputs: pieces side by side, or rank 0's."""
    axes = {output["name"]: output["layout"].get("axis") for output in plan["outputs"]}
    return {name: ranks[0].values[name] if axis is None else np.concatenate([rank.values[name] for rank in ranks], axis)
            for name, axis in axes.items()}


def test_ranks_in_fp16_answer_like_the_model_in_fp32(model, sharded, halves):
    reference = Reference(model)
    inputs = reference.random_inputs()
    ranks = HalfRanks(halves)
    ranks.answer(inputs, range(2))
    error = worst_relative_error(joined(ranks.ranks, plan_of(sharded)), reference.answer(inputs))
    assert 0 < error <= 5e-3


def test_inputs_and_outputs_keep_their_types(sharded, halves):
    for rank, half in enumerate(halves):
        before, after = onnx.load(sharded / f"model.onnx.rank{rank}").graph, onnx.load(half).graph
        assert list(before.input) == list(after.input) and list(before.output) == list(after.output)


@pytest.mark.parametrize("model", ["gpt2"], indirect=True)
def test_engines_are_built_and_the_plan_tells_what_collectives_carry(sharded, build):
    once = plan_of(sharded)
    assert {c["type"] for c in once["collectives"]} == {"FP32"}
    report = build(sharded.parent, "--fp16")
    assert report["counted_in"] == "engine" and report["fp16"]["in_fp16"] > report["fp16"]["in_fp32"] > 0
    assert report["fp16"]["clamped"] > 0, "gpt2's masks are of the lowest FP32 number"
    plan = plan_of(sharded)
    assert plan["build"]["fp16"] is True and plan["build"]["sources"][0]["model"] == once["ranks"][0]["model"]
    assert [{**c, "type": "FP32", "bytes": 2 * c["bytes"]} for c in plan["collectives"]] == once["collectives"]
    assert {c["type"] for c in plan["collectives"]} == {"FP16"}
    assert plan["outputs"] == once["outputs"] and plan["probe"]["outputs"][0]["tolerance"] == 5e-3
    assert "fp16" not in build(sharded.parent)
    assert plan_of(sharded)["collectives"] == once["collectives"]
    assert "fp16" not in plan_of(sharded)["build"]


def test_the_real_builder_takes_all_ranks(halves, sharded, really_build):
    for built in really_build(halves):
        assert not built["errors"]
        assert [name for name, _ in built["network"]] == [c["name"] for c in plan_of(sharded)["collectives"]]
        assert sorted(name for name, _ in built["engine"]) == sorted(name for name, _ in built["network"])
