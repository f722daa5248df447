"""Plans of the search over the zoo: each passes the checker and the shape oracle, and computes the same."""

import onnx
import pytest

from lockstep import first_wrong, load, outputs_differ
from simulate import whole
from test_mutations import feed

MODELS = ["bert_dyn", "clip", "dit", "gpt2", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18", "mixtral_moe", "unet_sd",
          "vae_decoder", "vit"]
# onnxruntime runs these, but not cut into pieces without its optimizations; the end-to-end tests compare them.
ONLY_CHECKED = ["bert_op23", "llama_gqa_op23"]


def plan(lab, zoo, tmp_path, name, strategy, parts):
    answer = lab.ask(do="shard", model=zoo / f"{name}.onnx", parts=parts, strategy=strategy, out=tmp_path)
    assert "error" not in answer, answer["error"]
    assert not answer["check"], answer["check"]
    return answer


@pytest.mark.parametrize("strategy", ["tensor", "context"])
@pytest.mark.parametrize("name", MODELS)
def test_plan_computes_the_same(lab, zoo, tmp_path, name, strategy):
    model = onnx.load(zoo / f"{name}.onnx")
    inputs = feed(model)
    answer = plan(lab, zoo, tmp_path, name, strategy, 2)
    ranks = load(tmp_path, 2)
    line = outputs_differ(answer, ranks, inputs, whole(model)(inputs))
    assert line is None, f"{line}; first wrong: {first_wrong(answer, ranks, model, inputs)}"


@pytest.mark.parametrize("name", ONLY_CHECKED)
def test_plan_passes_the_checker(lab, zoo, tmp_path, name):
    for strategy in ("tensor", "context"):
        for parts in (2, 4):
            plan(lab, zoo, tmp_path, name, strategy, parts)
