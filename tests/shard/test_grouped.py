"""Fewer heads of keys and values than ranks: each rank holds the head that its queries need, and nothing is summed for it."""

import onnx
import pytest

from grouped import CASES, HEAD
from lockstep import assert_same, shard
from simulate import whole
from test_mutations import feed, numbers_find

GROUPS = [(8, 2, 4), (16, 2, 8), (8, 1, 4), (8, 1, 2)]  # heads of queries, of keys, ranks
MUTANTS = 40


def collectives(model):
    return [a.s for n in model.graph.node for a in n.attribute if a.name == "collective_operation"]


@pytest.mark.parametrize("heads,keys,parts", GROUPS)
@pytest.mark.parametrize("case", CASES)
def test_a_rank_holds_the_key_head_of_its_queries(lab, tmp_path, case, heads, keys, parts):
    if case == "broadcast_key" and keys > 1:
        pytest.skip("a product broadcasts one head only")
    small, model = CASES[case](heads, keys)
    answer, ranks = shard(lab, tmp_path, model, parts)
    assert_same(answer, ranks, model, small.feed)
    width = heads * HEAD
    for rank in ranks:
        held = [list(t.dims) for t in rank.graph.initializer if len(t.dims) == 2]
        assert held == [[width, width // parts], [width, HEAD], [width, HEAD], [width // parts, width]]
        assert collectives(rank) == [b"all_reduce"]


@pytest.mark.parametrize("name", ["llama_gqa_op18", "llama_gqa_op23", "llama_gqa_dyn"])
def test_exported_models_with_fewer_key_heads_than_ranks(lab, zoo, tmp_path, name):
    """Four key heads over eight ranks: two all-reduces a layer, as with enough of them."""
    model = onnx.load(zoo / f"{name}.onnx")
    answer, ranks = shard(lab, tmp_path, model, 8)
    assert collectives(ranks[0]) == [b"all_reduce"] * 4
    if name != "llama_gqa_op23":  # onnxruntime does not run that cut into pieces
        assert_same(answer, ranks, model, feed(model))


@pytest.mark.parametrize("case", ["spread_keys", "attention_of_three_dimensions"])
def test_every_mutant_of_copies_is_found(lab, tmp_path, case):
    parts = 4
    small, model = CASES[case](8, 2)
    onnx.save(model, tmp_path / "model.onnx")
    want = whole(model)(small.feed)
    answer = lab.ask(do="mutate", model=tmp_path / "model.onnx", parts=parts, strategy="tensor", out=tmp_path,
                     **{"from": 0, "to": MUTANTS})
    assert len(answer["mutants"]) == MUTANTS
    alive = []
    for seed, mutant in enumerate(answer["mutants"]):
        files = [tmp_path / f"mutant{seed}.onnx.rank{rank}" for rank in range(parts)]
        if not mutant["check"] and not numbers_find(mutant, files, small.feed, want):
            alive.append(f"{seed}: {mutant['what']}")
    assert not alive, "\n".join(alive)
