"""A recommender over ranks: its matrices and its large tables are split, and it computes the same."""

import math

import onnx
import pytest
from program import Program

from lockstep import assert_same, shard
from recommender import recommender


def bytes_of_weights(model):
    """Of the matrices that are multiplied with, and by name of the tables."""
    dims = {t.name: 4 * math.prod(t.dims) for t in model.graph.initializer}
    matrices = sum(dims[n.input[1]] for n in model.graph.node if n.op_type in ("Gemm", "MatMul") and n.input[1] in dims)
    tables = {n.input[0].split(".")[0]: dims[n.input[0]] for n in model.graph.node
              if n.op_type == "Gather" and n.input[0] in dims}
    return matrices, tables


@pytest.mark.parametrize("interaction", ["concat", "dot"])
@pytest.mark.parametrize("parts", [2, 4])
def test_large_tables_and_matrices_are_split(lab, tmp_path, parts, interaction, capsys):
    small, model = recommender(interaction)
    answer, ranks = shard(lab, tmp_path, model, parts)
    assert_same(answer, ranks, model, small.feed)

    matrices, tables = bytes_of_weights(model)
    total = sum(4 * math.prod(t.dims) for t in model.graph.initializer)
    large = {name for name, size in tables.items() if size > total / 10}
    assert len(large) == 3
    for rank in ranks:
        held_matrices, held_tables = bytes_of_weights(rank)
        held = held_matrices + sum(held_tables[name] for name in large)
        assert held <= 1.02 / parts * (matrices + sum(tables[name] for name in large))
    with capsys.disabled():
        print(f"\n{interaction}, {parts} ranks: {held_matrices * parts / matrices:.3f}/N of the matrices, tables "
              f"{[round(held_tables[n] * parts / tables[n], 2) for n in tables]}/N, {answer['collectives']} collectives")


@pytest.mark.parametrize("interaction", ["concat", "dot"])
@pytest.mark.parametrize("parts", [2, 4])
def test_the_engine_computes_the_same(tessera, tmp_path, parts, interaction):
    _, model = recommender(interaction)
    onnx.save(model, tmp_path / "model.onnx")
    program = Program(tessera)
    program.shard(tmp_path / "model.onnx", parts, tmp_path / "repository", "m", "--strategy", "tensor")
    checked = program.json("verify", tmp_path / "repository/m", "--against", tmp_path / "model.onnx", "--tolerance", 1e-5)
    assert checked["ok"]
