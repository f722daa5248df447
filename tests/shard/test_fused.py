"""Fused projections, however they are cut again: one all-reduce a block, 1/N of every matrix, the same outputs."""

import math

import pytest

from fused import CASES
from lockstep import assert_same, shard


@pytest.mark.parametrize("parts", [2, 4])
@pytest.mark.parametrize("case", CASES)
def test_a_fused_projection_is_split_piece_by_piece(lab, tmp_path, case, parts):
    small, model = CASES[case]()
    answer, ranks = shard(lab, tmp_path, model, parts)
    assert_same(answer, ranks, model, small.feed)
    issued = [a.s for n in ranks[0].graph.node for a in n.attribute if a.name == "collective_operation"]
    assert issued == [b"all_reduce"]
    for rank in ranks:
        assert matrices(rank) * parts == matrices(model)


def matrices(model):
    return sum(math.prod(tensor.dims) for tensor in model.graph.initializer if len(tensor.dims) == 2)
