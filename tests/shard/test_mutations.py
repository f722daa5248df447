"""Tests of the tests: sharded models with one thing wrong. The state checker or the comparison must find it."""

import collections

import numpy
import onnx
import pytest

from lockstep import outputs_differ
from simulate import whole

PARTS = 2
MUTANTS, LONG_MUTANTS = 60, 1000
MODELS = {
    "bert_dyn": ["tensor", "context"],
    "gpt2": ["tensor", "context"],
    "llama_gqa_op18": ["tensor", "context"],
    "llama_gqa_op23": ["tensor", "context"],
    "mixtral_moe": ["tensor"],
    "dit": ["tensor"],
    "clip": ["tensor"],
    "unet_sd": ["tensor"],
}
SIZES = {0: 2}  # of a dynamic dimension, by axis; others get 4


def feed(model):
    random = numpy.random.default_rng(5)
    inputs = {}
    for info in model.graph.input:
        shape = [d.dim_value or SIZES.get(axis, 4) for axis, d in enumerate(info.type.tensor_type.shape.dim)]
        dtype = onnx.helper.tensor_dtype_to_np_dtype(info.type.tensor_type.elem_type)
        if "mask" in info.name:
            inputs[info.name] = numpy.ones(shape, dtype)
        elif dtype.kind == "f":
            inputs[info.name] = random.standard_normal(shape).astype(dtype)
        else:
            inputs[info.name] = random.integers(0, 3, shape).astype(dtype)
    return inputs


def numbers_find(mutant, files, inputs, want):
    """What the comparison of the outputs says of a mutant; "" = it computes the same."""
    if mutant["written"]:
        return mutant["written"]
    try:
        models = [onnx.load(file) for file in files]
        return outputs_differ(mutant, models, inputs, want) or ""
    except Exception as error:  # noqa: BLE001: a wrong graph makes engines say anything
        return str(error).splitlines()[0]


@pytest.mark.parametrize("name,strategy", [(name, s) for name, strategies in MODELS.items() for s in strategies])
def test_every_mutant_is_found(lab, zoo, long, tmp_path, name, strategy, capsys):
    file = zoo / f"{name}.onnx"
    model = onnx.load(file)
    inputs = feed(model)
    want = whole(model)(inputs)
    count = LONG_MUTANTS if long else MUTANTS
    answer = lab.ask(do="mutate", model=file, parts=PARTS, strategy=strategy, out=tmp_path, **{"from": 0, "to": count})
    assert "error" not in answer, answer
    by_checker, kinds, alive = 0, collections.Counter(), []
    for seed, mutant in enumerate(answer["mutants"]):
        by_checker += bool(mutant["check"])
        kinds[mutant["what"].split(":")[0]] += 1
        files = [tmp_path / f"mutant{seed}.onnx.rank{rank}" for rank in range(PARTS)]
        if not mutant["check"] and not numbers_find(mutant, files, inputs, want):
            alive.append(f"{seed}: {mutant['what']}")
    with capsys.disabled():
        total = len(answer["mutants"])
        print(f"\n{name} {strategy}: {total} mutants of {len(kinds)} kinds, {by_checker} found by the checker alone, "
              f"{total - len(alive)} in all")
    assert len(answer["mutants"]) == count
    assert not alive, "\n".join(alive)
