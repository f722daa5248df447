"""Tables cut by words or by width: each rank looks up its part, and the whole comes out to the last bit."""

import math

import numpy
import onnx
import pytest

from lockstep import assert_same, rank_inputs, shard
from simulate import Ranks, whole
from small_models import SmallModel
from test_mutations import numbers_find

MUTANTS = 80


def held(models, least=1):
    """The dimensions of what each rank holds of the constants of at least so many elements; equal on all ranks."""
    ranks = [sorted(list(t.dims) for t in m.graph.initializer if math.prod(t.dims) >= least) for m in models]
    assert all(rank == ranks[0] for rank in ranks)
    return ranks[0]


@pytest.mark.parametrize("parts", [2, 3, 4])
@pytest.mark.parametrize("dtype", [numpy.int32, numpy.int64])
@pytest.mark.parametrize("opset", [11, 13, 21])
def test_a_table_whose_width_does_not_divide_is_cut_by_words(lab, tmp_path, parts, dtype, opset):
    small = SmallModel(opset)
    found = small.op("Gather", small.weight(24, 5), small.ids("ids", [7, 3], 24, dtype, negative=True))
    model = small.model(found)
    answer, models = shard(lab, tmp_path, model, parts)
    assert held(models, 20) == [[24 // parts, 5]]
    got = Ranks(models).run(rank_inputs(answer, small.feed, parts))
    wanted = whole(model)(small.feed)[found]
    assert all(numpy.array_equal(values[models[0].graph.output[0].name], wanted) for values in got)


def test_a_table_of_which_nothing_divides_is_refused(lab, tmp_path):
    small = SmallModel()
    model = small.model(small.op("Gather", small.weight(7, 5), small.ids("ids", [4], 7)))
    onnx.save(model, tmp_path / "model.onnx")
    answer = lab.ask(do="shard", model=tmp_path / "model.onnx", parts=2, strategy="tensor", out=tmp_path)
    assert "nothing can be split over 2 ranks" in answer["error"]


@pytest.mark.parametrize("parts", [2, 4])
def test_the_head_that_shares_the_table_shares_its_part(lab, tmp_path, parts):
    """Two pieces of one table, by words for one and by width for the other, would be twice the memory."""
    small = SmallModel()
    table = small.weight(1000, 64)
    x = small.op("Gather", table, small.ids("ids", [16], 1000))
    x = small.linear(small.linear(x, 64, 256, relu=True), 256, 64)
    model = small.model(small.op("Gemm", x, table, transB=1))
    answer, models = shard(lab, tmp_path, model, parts)
    assert [dims for dims in held(models, 64) if 1000 // parts in dims or 1000 in dims] in (
        [[1000 // parts, 64]], [[1000, 64 // parts]])
    assert_same(answer, models, model, small.feed)


def test_every_mutant_of_a_lookup_is_found(lab, tmp_path):
    small = SmallModel()
    found = small.op("Gather", small.weight(24, 5), small.ids("ids", [7, 3], 24, negative=True))
    model = small.model(small.op("Relu", found))
    onnx.save(model, tmp_path / "model.onnx")
    want = whole(model)(small.feed)
    answer = lab.ask(do="mutate", model=tmp_path / "model.onnx", parts=2, strategy="tensor", out=tmp_path,
                     **{"from": 0, "to": MUTANTS})
    assert len(answer["mutants"]) == MUTANTS
    alive = [mutant["what"] for seed, mutant in enumerate(answer["mutants"]) if not mutant["check"] and not numbers_find(
        mutant, [tmp_path / f"mutant{seed}.onnx.rank{rank}" for rank in range(2)], small.feed, want)]
    assert not alive
