"""How many collectives a transformer block needs under tensor parallelism."""

import collections

import onnx
import pytest

from lockstep import load, outputs_differ
from parallel_blocks import parallel_blocks
from simulate import attributes_of, is_collective, whole
from test_mutations import feed

# Blocks, and what else is sent.
ZOO = {
    "bert_dyn": (2, {}),
    "bert_op23": (2, {}),
    "gpt2": (2, {}),
    "gpt2_dyn": (2, {}),
    "llama_gqa_op18": (2, {}),
    "llama_gqa_op23": (2, {}),
    "llama_gqa_dyn": (2, {}),
    "mixtral_moe": (2, {}),
    "vit": (2, {"all_gather": 1}),  # the patches' channels
    # The patches' channels, and a projection for each tower. Three of the eight sums of the blocks go together with
    # one of the other tower.
    "clip": (4, {"all_gather": 1, "all_reduce": 2 - 3}),
    "dit": (2, {"all_reduce": 3}),  # the conditioning of all blocks together: two layers; and the last layer
}
PARALLEL_BLOCKS = 3


def collectives(file):
    nodes = onnx.load(file).graph.node
    return collections.Counter(attributes_of(node)["collective_operation"].decode() for node in nodes
                               if is_collective(node))


def shard(lab, model, parts, out):
    answer = lab.ask(do="shard", model=model, parts=parts, strategy="tensor", out=out)
    assert "error" not in answer and not answer["check"], answer
    return answer


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("name", ZOO)
def test_a_block_needs_two_all_reduces(lab, zoo, tmp_path, name, parts):
    shard(lab, zoo / f"{name}.onnx", parts, tmp_path)
    blocks, beside = ZOO[name]
    wanted = collections.Counter(beside)
    wanted["all_reduce"] += 2 * blocks
    assert collectives(tmp_path / "model.onnx.rank0") == wanted


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("kind", ["gptj", "neox"])
def test_a_block_of_parallel_attention_and_mlp_needs_one(lab, tmp_path, kind, parts):
    model = parallel_blocks(kind, PARALLEL_BLOCKS)
    onnx.save(model, tmp_path / "model.onnx")
    answer = shard(lab, tmp_path / "model.onnx", parts, tmp_path)
    assert collectives(tmp_path / "model.onnx.rank0") == {"all_reduce": PARALLEL_BLOCKS}
    inputs = feed(model)
    assert outputs_differ(answer, load(tmp_path, parts), inputs, whole(model)(inputs)) is None
