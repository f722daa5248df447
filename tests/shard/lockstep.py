"""Compares a sharded model with the unsharded one, value by value in the order of computation."""

import numpy
import onnx

import states
from simulate import Ranks, whole


def load(directory, parts):
    return [onnx.load(f"{directory}/model.onnx.rank{rank}") for rank in range(parts)]


def rank_inputs(answer, inputs, parts):
    """What the executor hands each rank."""
    random = numpy.random.default_rng(0)
    ranks = [{} for _ in range(parts)]
    for tensor in answer["inputs"]:
        name = tensor["name"]
        for rank, part in zip(ranks, states.cut(inputs[name], tensor["state"], parts, random)):
            rank[name] = part
    return ranks


def outputs_differ(answer, models, inputs, want):
    """None, or a line on the first output that is wrong. `want`: the unsharded model's values."""
    values = Ranks(models).run(rank_inputs(answer, inputs, len(models)))
    for tensor, output in zip(answer["outputs"], models[0].graph.output):
        try:
            got = states.together([v[output.name] for v in values], tensor["state"])
        except AssertionError as error:
            return f"output '{tensor['name']}': {error}"
        line = states.difference(got, want[tensor["name"]])
        if line:
            return f"output '{tensor['name']}' {line}"
    return None


def first_wrong(answer, models, model, inputs):
    """None, or (value of the rank graph, line): the first in the order of computation that is not what it should be."""
    want = whole(model, trace=True)(inputs)
    want.update((t.name, onnx.numpy_helper.to_array(t)) for t in model.graph.initializer)
    want.update(inputs)
    values = Ranks(models, trace=True).run(rank_inputs(answer, inputs, len(models)))
    origin = {o["value"]: o for o in answer["origin"]}
    for node in models[0].graph.node:
        for name in node.output:
            held = origin.get(name)
            if held is None or held["of"] not in want:
                continue
            try:
                got = states.together([v[name] for v in values], held["state"])
                scale = max(float(numpy.nanmax(abs(v[name].astype(float)), initial=0)) for v in values)
                line = states.difference(got, want[held["of"]], scale if held["state"]["kind"] == "P" else 0)
            except AssertionError as error:
                line = str(error)
            if line:
                return name, f"{node.op_type} '{node.name}': '{name}' as {held['state']['kind']} {line}"
    return None


def shard(lab, folder, model, parts, **options):
    """The laboratory's answer and the ranks' models, in which the checker found nothing wrong."""
    onnx.save(model, folder / "model.onnx")
    answer = lab.ask(do="shard", model=folder / "model.onnx", parts=parts, strategy="tensor", out=folder, **options)
    assert "error" not in answer and not answer["check"], answer
    return answer, load(folder, parts)


def assert_same(answer, ranks, model, inputs):
    """The ranks together compute what the model does."""
    line = outputs_differ(answer, ranks, inputs, whole(model)(inputs))
    assert line is None, f"{line}; first wrong: {first_wrong(answer, ranks, model, inputs)}"
