"""What the compiler decides for a transformer: collectives, and how much each rank holds."""

import math

import onnx
import pytest

LAYERS = 3
SPLIT_RANKS = [2, 3, 4, 6]


def matmul_weights(model: onnx.ModelProto) -> list[int]:
    """Elements of every weight that a MatMul or Gemm multiplies with: attention projections and MLPs."""
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer if len(tensor.dims) == 2}
    return sorted(sizes[name] for node in model.graph.node if node.op_type in ("MatMul", "Gemm")
                  for name in node.input if name in sizes)


def rank_models(sharded, name: str) -> list[onnx.ModelProto]:
    files = sorted((sharded.path / name / "1").glob("model.onnx.rank*"))
    return [onnx.load(file, load_external_data=False) for file in files]


@pytest.mark.parametrize("ranks", SPLIT_RANKS)
def test_minilm_needs_two_all_reduces_a_layer_and_nothing_else(ranks, sharded):
    collectives = sharded.report(f"minilm_{ranks}")["collectives"]
    assert [c["op"] for c in collectives] == ["all_reduce"] * (2 * LAYERS)
    assert len({c["name"] for c in collectives}) == 2 * LAYERS
    for model in rank_models(sharded, f"minilm_{ranks}"):
        issued = [node.name for node in model.graph.node if node.op_type == "DistCollective"]
        assert issued == [c["name"] for c in collectives]


@pytest.mark.parametrize("ranks", SPLIT_RANKS)
def test_each_rank_holds_its_part_of_every_attention_and_mlp_weight(ranks, sharded, minilm):
    sharded.report(f"minilm_{ranks}")
    whole = matmul_weights(onnx.load(minilm))
    assert len(whole) == 6 * LAYERS
    models = rank_models(sharded, f"minilm_{ranks}")
    assert len(models) == ranks
    for model in models:
        assert matmul_weights(model) == [size // ranks for size in whole]


def test_the_report_tells_the_weights_of_each_rank(sharded):
    report = sharded.report("minilm_4")
    whole, parts = report["weight_bytes"], report["rank_weight_bytes"]
    assert (report["model"], report["ranks"], len(parts)) == ("minilm_4", 4, 4)
    assert len(set(parts)) == 1
    attention_and_mlp = 4 * LAYERS * (4 * 384 * 384 + 2 * 384 * 1536)
    assert parts[0] < whole - attention_and_mlp * 3 // 4 + 65536  # what stays whole: embeddings, norms, few biases


def test_one_rank_is_the_model_itself(sharded):
    report = sharded.report("minilm_1")
    assert report["collectives"] == []
    assert report["rank_weight_bytes"] == [report["weight_bytes"]]


def test_ranks_that_do_not_divide_the_heads_are_refused_or_said(program, minilm, tmp_path):
    """12 heads over 5 ranks: a partial plan that is smaller than the whole, or a refusal that says why."""
    repository = tmp_path / "repository"
    done = program.run("shard", minilm, "--ranks", 5, "-o", repository, "--name", "m")
    if done.returncode == 2:
        line = done.stderr.strip()
        assert "5" in line and "12" in line, f"does not say why: {line}"
        assert not repository.exists()
        return
    assert done.returncode == 0, done.stderr
    report = program.json("inspect", repository / "m")
    whole = sum(len(tensor.raw_data) for tensor in onnx.load(minilm).graph.initializer)
    assert max(rank["weight_bytes"] for rank in report["ranks"]) < 0.9 * whole
    assert program.json("verify", repository / "m", "--against", minilm)["ok"]


def test_shard_leaves_the_model_alone(program, zoo, tmp_path):
    source = tmp_path / "vit.onnx"
    source.write_bytes((zoo / "vit.onnx").read_bytes())
    source.chmod(0o444)
    program.shard(source, 2, tmp_path / "repository", "vit")
    assert source.read_bytes() == (zoo / "vit.onnx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["repository", "vit.onnx"]
