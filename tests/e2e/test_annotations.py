"""ONNX's own multi-device annotations: as constraints on a plan, and a plan told as annotations."""

from __future__ import annotations

import json
import pathlib

import numpy
import onnx
import pytest
from onnx import helper, numpy_helper

CONFIGURATION = "two"


def product(dtype=numpy.float32) -> onnx.ModelProto:
    """x [8,64] through two matrices of [64,64]; plans of any kind are possible."""
    weights = [numpy_helper.from_array(numpy.random.default_rng(i).standard_normal((64, 64)).astype(dtype), name)
               for i, name in enumerate(["up", "down"])]
    nodes = [helper.make_node("MatMul", ["x", "up"], ["y"], name="first"),
             helper.make_node("Relu", ["y"], ["z"], name="middle"),
             helper.make_node("MatMul", ["z", "down"], ["out"], name="second")]
    kind = helper.np_dtype_to_tensor_dtype(numpy.dtype(dtype))
    ports = [helper.make_tensor_value_info(name, kind, [8, 64]) for name in ("x", "out")]
    graph = helper.make_graph(nodes, "product", ports[:1], ports[1:], weights)
    return helper.make_model(graph, ir_version=11, opset_imports=[helper.make_opsetid("", 17)])


def annotate(model: onnx.ModelProto, node: int, tensor: str, axis: int | None, *, devices=(0, 1), shards: int = 2,
             size: int = 64, name: str = CONFIGURATION) -> onnx.ShardingSpecProto:
    if not model.configuration:
        model.configuration.add(name=CONFIGURATION, num_devices=2)
    annotations = model.graph.node[node].device_configurations
    if not annotations:
        annotations.add(configuration_id=name)
    spec = annotations[0].sharding_spec.add(tensor_name=tensor, device=devices)
    if axis is not None:
        spec.sharded_dim.add(axis=axis).simple_sharding.add(dim_value=size, num_shards=shards)
    return spec


def local_weights(repository: pathlib.Path) -> dict[str, list[int]]:
    rank = onnx.load(repository / "m/1/model.onnx.rank0", load_external_data=False)
    return {tensor.name.split(".")[0]: list(tensor.dims) for tensor in rank.graph.initializer}


def shard(program, model, tmp_path, *options) -> dict:
    onnx.save(model, tmp_path / "m.onnx")
    return program.shard(tmp_path / "m.onnx", 2, tmp_path / "repository", "m", *options)


@pytest.mark.parametrize("axis, shapes", [(0, [[32, 64], [64, 64]]), (1, [[64, 32], [32, 64]]), (-1, [[64, 32], [32, 64]])])
def test_an_annotated_weight_is_cut_so(program, tmp_path, axis, shapes):
    model = product()
    annotate(model, 0, "up", axis)
    if axis == 0:
        annotate(model, 2, "down", None)
    shard(program, model, tmp_path, "--strategy", "mixed")
    assert [local_weights(tmp_path / "repository")[name] for name in ("up", "down")] == shapes
    assert program.json("verify", tmp_path / "repository/m", "--against", tmp_path / "m.onnx")["ok"]


def test_annotations_can_be_ignored(program, tmp_path):
    model = product()
    annotate(model, 0, "up", 0, devices=(1, 0))
    assert shard(program, model, tmp_path, "--ignore-annotations", "--strategy", "tensor")["ranks"] == 2


def unknown_tensor(model):
    annotate(model, 0, "down", 0)
    return ["first", "'down'", "neither reads nor makes"]


def some_devices(model):
    annotate(model, 0, "up", None, devices=(1,))
    return ["first", "'up'", "[1]"]


def two_axes(model):
    annotate(model, 0, "up", 0).sharded_dim.add(axis=1).simple_sharding.add(dim_value=64, num_shards=2)
    return ["first", "'up'", "2 axes"]


def wrong_axis(model):
    annotate(model, 0, "up", 2)
    return ["first", "'up'", "axis 2"]


def wrong_size(model):
    annotate(model, 0, "up", 0, size=60)
    return ["first", "'up'", "64", "60"]


def other_pieces(model):
    annotate(model, 0, "up", 0, shards=4)
    return ["first", "'up'", "4 pieces"]


def pipeline(model):
    annotate(model, 0, "up", 0)
    model.graph.node[0].device_configurations[0].pipeline_stage = 1
    return ["first", "pipeline stage"]


def unknown_configuration(model):
    annotate(model, 0, "up", 0, name="three")
    return ["first", "'three'"]


def other_count(model):
    annotate(model, 0, "up", 0)
    model.configuration[0].num_devices = 3
    return ["'two' for 3", "--ranks 2"]


def impossible(model):
    annotate(model, 1, "y", 0, size=8)
    annotate(model, 1, "z", 1)
    return ["middle", "'z'", "S(1)"]


def contradiction(model):
    annotate(model, 0, "y", 1)
    annotate(model, 0, "up", 0)
    annotate(model, 0, "x", None)
    return ["first", "'x'"]


@pytest.mark.parametrize("edit", [unknown_tensor, some_devices, two_axes, wrong_axis, wrong_size, other_pieces, pipeline,
                                  unknown_configuration, other_count, impossible, contradiction], ids=lambda e: e.__name__)
@pytest.mark.parametrize("strategy", ["mixed", "auto"])
def test_what_cannot_be_kept_is_refused_with_node_and_tensor(program, tmp_path, edit, strategy):
    model = product()
    words = edit(model)
    onnx.save(model, tmp_path / "m.onnx")
    line = program.refuse("shard", tmp_path / "m.onnx", "--ranks", 2, "-o", tmp_path / "repository", "--strategy", strategy)
    assert all(word in line for word in words), line
    assert not (tmp_path / "repository").exists()


def test_annotations_of_two_nodes_that_contradict_each_other_are_refused(program, tmp_path):
    model = product(numpy.float64)  # which no collective moves: what one node makes the next one reads
    annotate(model, 0, "x", 0, size=8)
    annotate(model, 2, "z", None)
    onnx.save(model, tmp_path / "m.onnx")
    line = program.refuse("shard", tmp_path / "m.onnx", "--ranks", 2, "-o", tmp_path / "repository", "--strategy", "mixed")
    assert "node 'second' (MatMul)" in line and "'z' as R" in line and "contradicts annotations before it" in line


def without_annotations(file: pathlib.Path) -> onnx.ModelProto:
    model = onnx.load(file, load_external_data=False)
    del model.configuration[:]
    for node in model.graph.node:
        del node.device_configurations[:]
    model.ir_version = 11
    return model


@pytest.mark.parametrize("name, strategy, ranks", [
    ("bert_op23", "tensor", 2), ("gpt2", "tensor", 2), ("llama_gqa_op23", "tensor", 2), ("llama_gqa_op23", "tensor", 4),
    ("mixtral_moe", "auto", 2), ("vit", "context", 2)])
def test_a_plan_told_as_annotations_is_planned_again(program, zoo, tmp_path, name, strategy, ranks):
    source = zoo / f"{name}.onnx"
    annotated = tmp_path / "annotated.onnx"
    arguments = (ranks, tmp_path / "repository")
    first = program.shard(source, *arguments, "first", "--strategy", strategy, "--annotated", annotated)
    onnx.checker.check_model(annotated)
    assert without_annotations(annotated) == without_annotations(source), "nothing else changed"
    again = program.shard(annotated, *arguments, "again", "--strategy", first["strategy"])
    plans = [json.loads((tmp_path / "repository" / n / "1/plan.json").read_text()) for n in ("first", "again")]
    for key in ("collectives", "inputs", "outputs", "mesh", "strategy", "predicted_us"):
        assert plans[0][key] == plans[1][key], key
    assert first["rank_weight_bytes"] == again["rank_weight_bytes"]


def test_external_weights_stay_where_they_are(program, tmp_path):
    (tmp_path / "source").mkdir()
    source = tmp_path / "source/m.onnx"
    onnx.save_model(product(), source, save_as_external_data=True, location="weights.bin", size_threshold=0)
    weights = (tmp_path / "source/weights.bin").read_bytes()
    arguments = ("shard", source, "--ranks", 2, "-o", tmp_path / "repository", "--strategy", "tensor", "--annotated")
    line = program.refuse(*arguments, tmp_path / "elsewhere.onnx")
    assert "weights in other files" in line and not (tmp_path / "repository").exists()
    program.json(*arguments, tmp_path / "source/annotated.onnx")
    onnx.checker.check_model(tmp_path / "source/annotated.onnx")
    assert (tmp_path / "source/weights.bin").read_bytes() == weights
    assert onnx.load(tmp_path / "source/annotated.onnx").graph.initializer == onnx.load(source).graph.initializer
