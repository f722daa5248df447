"""Trained models, the zoo, and the zoo in fp16 and int8, each split and compared with onnxruntime.

The cells that differ most; `./dev bench -k model_matrix` runs them all.
"""

import onnx
import pytest

from matrix import ENGINE_CANNOT, Matrix
from model_cases import TRAINED, ZOO

WHOLE = "silero_vad"  # all its work lies inside an If
SPLIT = tuple(name for name in TRAINED if name != WHOLE)
CONVERTED = ("bert_dyn.fp16", "llama_gqa_op23.fp16", "bert_dyn.dynamic", "gpt2_dyn.dynamic", "gpt2_dyn.qdq")
CELLS = [(name, 2, "tensor") for name in (*SPLIT, *CONVERTED)]
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


def test_what_lies_inside_control_flow_is_served_whole_with_the_reason(matrix, models):
    """OpenVINO cannot read it as it was exported: Ifs that squeeze or do not, by sizes known beforehand."""
    cell = matrix.run(models.get(WHOLE), 2, "auto")
    assert cell.ranks == 1
    assert "one rank instead of 2" in cell.reason and "nothing can be split" in cell.reason
    assert cell.error <= cell.limit
    assert matrix.run(models.get(WHOLE), 2, "tensor").refused


def test_what_the_engine_cannot_run_is_refused_with_its_reason(program, tmp_path):
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph([onnx.helper.make_node("Det", ["x"], ["y"])], "g",
                                   [value("x", onnx.TensorProto.FLOAT, ["batch", 3, 3])],
                                   [value("y", onnx.TensorProto.FLOAT, ["batch"])])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=9),
              tmp_path / "determinant.onnx")
    line = program.refuse("shard", tmp_path / "determinant.onnx", "--ranks", 2, "-o", tmp_path / "repository")
    assert ENGINE_CANNOT in line and "Det" in line
    assert ".tmp" not in line  # no path of a file that is gone
    assert not (tmp_path / "repository").exists()
