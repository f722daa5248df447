"""Sharded models pass NVIDIA's parser and builder, and the collectives in the engine are those of the plan."""

import collections
import json

import onnx
import pytest

TRANSFORMERS = ["bert_dyn", "bert_op23", "clip", "dit", "gpt2", "gpt2_dyn", "llama_gqa_dyn", "llama_gqa_op18",
                "llama_gqa_op23", "mixtral_moe", "vit"]
IMAGES = ["unet_sd", "vae_decoder"]
LAYER_OF = {"all_reduce": "comm_allreduce", "all_gather": "comm_allgather", "all_to_all": "comm_alltoall",
            "reduce_scatter": "comm_reduce_scatter"}


@pytest.fixture(scope="session")
def shard(program, zoo, tmp_path_factory):
    """shard("vit", "tensor"): its directory with plan.json and two ranks for TensorRT."""
    repository = tmp_path_factory.mktemp("tensorrt")

    def make(model, strategy):
        name = f"{model}-{strategy}"
        if not (repository / name).exists():
            program.shard(zoo / f"{model}.onnx", 2, repository, name, "--strategy", strategy, "--engine", "tensorrt")
        return repository / name / "1"

    return make


def plan_of(directory):
    return json.loads((directory / "plan.json").read_text())


def assert_holds_the_plan(built, plan):
    assert built["errors"] == []
    assert [name for name, _ in built["network"]] == [c["name"] for c in plan["collectives"]]
    assert {ranks for _, ranks in built["network"]} <= {len(plan["ranks"])}
    assert collections.Counter(map(tuple, built["engine"])) == collections.Counter(
        (c["name"], LAYER_OF[c["op"]]) for c in plan["collectives"])


@pytest.mark.parametrize("model, strategy", [(model, strategy) for model in TRANSFORMERS
                                             for strategy in ("tensor", "context")] + [(m, "tensor") for m in IMAGES])
def test_the_real_builder_accepts_it_with_the_plans_collectives(model, strategy, shard, really_build):
    directory = shard(model, strategy)
    plan = plan_of(directory)
    assert plan["collectives"], "nothing was split"
    built = really_build(directory / rank["model"]["file"] for rank in plan["ranks"])
    for rank in built:
        assert_holds_the_plan(rank, plan)
    assert built[0]["engine"] == built[1]["engine"], "the ranks' engines issue collectives in different orders"


def edited(directory, folder, edit):
    """Rank 0's model after `edit`, its weights in the file."""
    model = onnx.load(directory / "model.onnx.rank0")
    edit(model.graph)
    onnx.save(model, folder / "edited.onnx")
    return folder / "edited.onnx"


def test_a_collective_that_the_parser_does_not_know_is_refused(shard, really_build, tmp_path):
    def spoil(graph):
        node = next(node for node in graph.node if node.op_type == "DistCollective")
        next(a for a in node.attribute if a.name == "collective_operation").s = b"all_together"

    [built] = really_build([edited(shard("vit", "tensor"), tmp_path, spoil)])
    assert ["Unknown CollectiveOperation: all_together" in error for error in built["errors"]] == [True]


def test_a_collective_that_is_missing_in_the_engine_is_noticed(shard, really_build, tmp_path):
    directory = shard("vit", "tensor")

    def drop(graph):
        last = [node for node in graph.node if node.op_type == "DistCollective"][-1]
        last.op_type, last.domain = "Identity", ""
        del last.attribute[:]

    [built] = really_build([edited(directory, tmp_path, drop)])
    assert built["errors"] == []
    with pytest.raises(AssertionError):
        assert_holds_the_plan(built, plan_of(directory))
