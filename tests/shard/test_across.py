"""Ops that look along an axis of which every rank has a part: the head of a language model whose vocabulary is split."""

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from program import Program

from lockstep import assert_same, shard
from simulate import attributes_of, is_collective, whole
from test_mutations import numbers_find

BATCH, LENGTH, HIDDEN, VOCABULARY, K = 2, 32, 8, 8192, 5
MUTANTS, PARTS = 40, 4
HEADS = {
    "argmax": [("ArgMax", {"axis": -1, "keepdims": 0})],
    "argmin_kept": [("ArgMin", {"axis": 2, "keepdims": 1})],
    "topk": [("TopK", {"axis": -1})],
    "topk_smallest": [("TopK", {"axis": 2, "largest": 0})],
    "softmax": [("Softmax", {"axis": -1})],
    "log_softmax": [("LogSoftmax", {"axis": -1})],
    "probabilities_of_the_best": [("Softmax", {"axis": -1}), ("TopK", {"axis": -1})],
}


def head(kind, first):
    """`first`: vocabulary in front of batch and length, so that the axis is 0."""
    random = numpy.random.default_rng(2)
    # Few different values: many elements are equal, and the lowest place must win.
    table = random.integers(-1, 2, (HIDDEN, VOCABULARY)).astype(numpy.float32)
    constants = [numpy_helper.from_array(table, "table"), numpy_helper.from_array(numpy.array([K]), "k")]
    nodes, outputs, last = [helper.make_node("MatMul", ["x", "table"], ["logits"], name="head")], [], "logits"
    if first:
        nodes.append(helper.make_node("Transpose", ["logits"], ["turned"], perm=[2, 0, 1]))
        last = "turned"
    for op, attributes in HEADS[kind]:
        attributes = {**attributes, "axis": 0 if first else attributes["axis"]}
        outputs = [f"{op}_values", f"{op}_places"] if op == "TopK" else [op]
        nodes.append(helper.make_node(op, [last, "k"] if op == "TopK" else [last], outputs, name=op, **attributes))
        last = outputs[0]
    shape = helper.make_tensor_value_info("x", TensorProto.FLOAT, [BATCH, LENGTH, HIDDEN])
    graph = helper.make_graph(nodes, kind, [shape], [onnx.ValueInfoProto(name=name) for name in outputs], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    inferred = onnx.shape_inference.infer_shapes(model)
    known = {v.name: v for v in list(inferred.graph.value_info) + list(inferred.graph.output)}
    del model.graph.output[:]
    model.graph.output.extend(known[name] for name in outputs)
    inputs = {"x": random.integers(-1, 2, (BATCH, LENGTH, HIDDEN)).astype(numpy.float32)}
    return model, inputs


# A softmax in parts takes more passes over the logits: it pays where gathering them is dearest.
CASES = [(kind, parts, first) for kind in HEADS for parts in (2, 4) for first in (False, True)
         if not any("Softmax" in op for op, _ in HEADS[kind]) or (parts == 4 and not first)]


@pytest.mark.parametrize("kind, parts, first", CASES)
def test_the_logits_stay_split(lab, tmp_path, kind, parts, first):
    model, inputs = head(kind, first)
    answer, ranks = shard(lab, tmp_path, model, parts)
    sent = [attributes_of(node)["collective_operation"].decode() for node in ranks[0].graph.node if is_collective(node)]
    wanted = [op for step, _ in HEADS[kind] for op in (["all_reduce"] * 2 if "Softmax" in step else ["all_gather"] * 2)]
    assert sent == wanted, "the logits were gathered instead"
    held = {t.name: list(t.dims) for t in ranks[0].graph.initializer}
    assert [HIDDEN, VOCABULARY // parts] in held.values()
    assert_same(answer, ranks, model, inputs)


@pytest.mark.parametrize("kind", ["argmax", "topk", "log_softmax"])
def test_the_engine_computes_the_same(tessera, tmp_path, kind):
    onnx.save(head(kind, False)[0], tmp_path / "model.onnx")
    program = Program(tessera)
    program.shard(tmp_path / "model.onnx", PARTS, tmp_path / "repository", "m", "--strategy", "tensor")
    checked = program.json("verify", tmp_path / "repository/m", "--against", tmp_path / "model.onnx", "--tolerance", 1e-5)
    assert checked["ok"]


@pytest.mark.parametrize("kind", ["argmax", "topk", "log_softmax", "probabilities_of_the_best"])
def test_every_mutant_is_found(lab, tmp_path, kind):
    model, inputs = head(kind, False)
    file = tmp_path / "model.onnx"
    onnx.save(model, file)
    answer = lab.ask(do="mutate", model=file, parts=PARTS, strategy="tensor", out=tmp_path, **{"from": 0, "to": MUTANTS})
    assert "error" not in answer and len(answer["mutants"]) == MUTANTS, answer
    want = whole(model)(inputs)
    alive = [mutant["what"] for seed, mutant in enumerate(answer["mutants"]) if not mutant["check"] and not
             numbers_find(mutant, [tmp_path / f"mutant{seed}.onnx.rank{rank}" for rank in range(PARTS)], inputs, want)]
    assert not alive
