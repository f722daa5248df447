"""Trained models, the zoo, and the zoo in fp16 and int8, each split and compared with onnxruntime.

The cells that differ most; `./dev bench -k model_matrix` runs them all.
"""

import pytest

from matrix import ENGINE_CANNOT, Matrix
from model_cases import TRAINED, ZOO

CONVERTED = ("bert_dyn.fp16", "llama_gqa_op23.fp16", "bert_dyn.dynamic", "gpt2_dyn.dynamic", "gpt2_dyn.qdq")
# OpenVINO's reader wants to know the rank of a value that an If gives, one rank or the other.
UNREADABLE = "silero_vad"
CELLS = [(name, 2, "tensor") for name in (*TRAINED, *CONVERTED) if name != UNREADABLE]
CELLS += [(name, 4, "tensor") for name in ZOO]
CELLS += [("magika", 4, "auto"), ("minilm_int8", 4, "context"), ("unet_sd", 8, "tensor"), ("vae_decoder", 4, "context"),
          ("gpt2", 3, "tensor"), ("llama_gqa_dyn", 3, "context")]


@pytest.fixture(scope="module")
def matrix(program, tmp_path_factory):
    return Matrix(program, tmp_path_factory.mktemp("matrix"), cases=1)


@pytest.mark.parametrize("name, ranks, strategy", CELLS)
def test_the_answers_are_those_of_onnxruntime(name, ranks, strategy, matrix, models):
    cell = matrix.run(models.get(name), ranks, strategy)
    assert not cell.refused, cell.reason
    assert cell.ranks == ranks
    assert cell.error <= cell.limit


@pytest.mark.parametrize("name, strategy", [("bert_dyn", "tensor"), ("gpt2", "context")])
def test_what_three_ranks_cannot_split_is_refused_with_the_reason(name, strategy, matrix, models):
    cell = matrix.run(models.get(name), 3, strategy)
    assert cell.refused
    assert "3 ranks" in cell.reason


def test_what_the_engine_cannot_run_at_all_is_refused_with_its_reason(matrix, models):
    cell = matrix.run(models.get(UNREADABLE), 2, "auto")
    assert cell.refused
    assert ENGINE_CANNOT in cell.reason and "Conv" in cell.reason
    assert ".tmp" not in cell.reason  # no path of a file that is gone
