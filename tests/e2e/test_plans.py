"""What the compiler decides for a transformer: collectives, and how much each rank holds."""

import json
import math

import onnx
import pytest

from program import Program

LAYERS = 3
SPLIT_RANKS = [2, 3, 4, 6]
TABLE = [30522, 384]  # of words: two thirds of MiniLM's weights


def matmul_weights(model: onnx.ModelProto) -> list[int]:
    """Elements of every weight that a MatMul or Gemm multiplies with: attention projections and MLPs."""
    sizes = {tensor.name: math.prod(tensor.dims) for tensor in model.graph.initializer if len(tensor.dims) == 2}
    return sorted(sizes[name] for node in model.graph.node if node.op_type in ("MatMul", "Gemm")
                  for name in node.input if name in sizes)


def rank_models(repository, name: str) -> list[onnx.ModelProto]:
    files = sorted((repository / name / "1").glob("model.onnx.rank*"))
    return [onnx.load(file, load_external_data=False) for file in files]


def all_reduces(report: dict) -> int:
    return [c["op"] for c in report["collectives"]].count("all_reduce")


@pytest.mark.parametrize("ranks", SPLIT_RANKS)
def test_minilm_with_whole_tables_needs_two_all_reduces_a_layer_and_nothing_else(ranks, program, minilm, tmp_path):
    report = program.shard(minilm, ranks, tmp_path, "m", "--strategy", "tensor", "--embeddings", "whole")
    collectives = report["collectives"]
    assert [c["op"] for c in collectives] == ["all_reduce"] * (2 * LAYERS)
    assert len({c["name"] for c in collectives}) == 2 * LAYERS
    for model in rank_models(tmp_path, "m"):
        issued = [node.name for node in model.graph.node if node.op_type == "DistCollective"]
        assert issued == [c["name"] for c in collectives]
        assert TABLE in [list(tensor.dims) for tensor in model.graph.initializer]


@pytest.mark.parametrize("ranks", SPLIT_RANKS)
def test_splitting_the_table_takes_one_collective_more(ranks, sharded):
    report = sharded.report(f"minilm_{ranks}")
    assert all_reduces(report) >= 2 * LAYERS
    assert len(report["collectives"]) == 2 * LAYERS + 1
    for model in rank_models(sharded.path, f"minilm_{ranks}"):
        tables = [list(tensor.dims) for tensor in model.graph.initializer if math.prod(tensor.dims) > 10**6]
        assert [math.prod(dims) for dims in tables] == [math.prod(TABLE) // ranks]


@pytest.mark.parametrize("ranks", SPLIT_RANKS)
def test_each_rank_holds_its_part_of_every_attention_and_mlp_weight(ranks, sharded, minilm):
    sharded.report(f"minilm_{ranks}")
    whole = matmul_weights(onnx.load(minilm))
    assert len(whole) == 6 * LAYERS
    models = rank_models(sharded.path, f"minilm_{ranks}")
    assert len(models) == ranks
    for model in models:
        assert matmul_weights(model) == [size // ranks for size in whole]


def test_the_report_tells_the_weights_of_each_rank(sharded):
    report = sharded.report("minilm_4")
    whole, parts = report["weight_bytes"], report["rank_weight_bytes"]
    assert (report["model"], report["ranks"], len(parts)) == ("minilm_4", 4, 4)
    assert len(set(parts)) == 1
    attention_and_mlp = 4 * LAYERS * (4 * 384 * 384 + 2 * 384 * 1536)
    assert parts[0] < whole - attention_and_mlp * 3 // 4 + 65536  # what may stay whole: embeddings, norms, few biases


def test_one_rank_is_the_model_itself(sharded):
    report = sharded.report("minilm_1")
    assert report["collectives"] == []
    assert report["rank_weight_bytes"] == [report["weight_bytes"]]


def test_a_strategy_that_cannot_split_over_five_ranks_is_refused_with_the_reason(program, minilm, tmp_path):
    """5 divides neither the 12 heads nor any weight."""
    line = program.refuse("shard", minilm, "--ranks", 5, "--strategy", "tensor", "-o", tmp_path / "repository")
    assert "5 ranks" in line and "multiple of 5" in line
    assert not (tmp_path / "repository").exists()


def test_left_to_itself_it_never_makes_five_full_copies_and_says_what_it_did(program, minilm, tmp_path):
    done = program.run("shard", minilm, "--ranks", 5, "-o", tmp_path / "repository", "--name", "m", "--json")
    if done.returncode == 2:
        assert "multiple of 5" in done.stderr
        return
    report = json.loads(done.stdout)
    whole = report["weight_bytes"]
    assert report["ranks"] == 1 or max(report["rank_weight_bytes"]) < 0.9 * whole
    assert len(done.stderr.splitlines()) == 1 and "not 5" in done.stderr and "multiple of 5" in done.stderr
    assert program.json("verify", tmp_path / "repository/m", "--against", minilm)["ok"]


def test_shard_leaves_the_model_alone(program, zoo, tmp_path):
    source = tmp_path / "vit.onnx"
    source.write_bytes((zoo / "vit.onnx").read_bytes())
    source.chmod(0o444)
    program.shard(source, 2, tmp_path / "repository", "vit")
    assert source.read_bytes() == (zoo / "vit.onnx").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["repository", "vit.onnx"]


def test_a_memory_limit_rules_out_plans_that_hold_more(minilm, tessera, tmp_path):
    program = Program(tessera)
    report = program.shard(minilm, 4, tmp_path / "fits", "minilm", "--memory-per-rank", "20MiB")
    assert max(report["rank_weight_bytes"]) <= 20 * 2**20 < report["weight_bytes"]
    line = program.refuse("shard", minilm, "--ranks", 4, "-o", tmp_path / "small", "--memory-per-rank", "10MiB")
    assert "--memory-per-rank allows 10485760" in line
    assert not (tmp_path / "small").exists()


def test_the_pareto_list_trades_time_for_memory_and_a_limit_takes_the_fastest_that_fits(zoo, program, tmp_path):
    model = zoo / "mixtral_moe.onnx"
    report = program.shard(model, 2, tmp_path / "any", "m")
    times = [plan["predicted_us"] for plan in report["pareto"]]
    held = [plan["rank_weight_bytes"] for plan in report["pareto"]]
    assert len(times) >= 3 and times == sorted(times) and held == sorted(set(held), reverse=True)
    priced = {plan["strategy"] for plan in report["alternatives"]}
    assert priced == {"single", "tensor", "context", "data", "mixed"}
    middle = report["pareto"][len(times) // 2]
    limited = program.shard(model, 2, tmp_path / "limited", "m", "--memory-per-rank", middle["rank_weight_bytes"])
    assert limited["predicted_us"] == pytest.approx(middle["predicted_us"])
    beside_weights = 1024  # indices and bounds of slices
    assert max(limited["rank_weight_bytes"]) <= middle["rank_weight_bytes"] + beside_weights


def test_a_search_that_is_too_wide_gives_a_plan_and_a_bound(zoo, program, tmp_path):
    model = zoo / "mixtral_moe.onnx"
    arguments = (model, 2, tmp_path / "repository")
    exact = program.shard(*arguments, "exact", "--strategy", "mixed")["search"]
    assert exact["exact"] and exact["lower_bound"] == exact["cost"]
    report = program.shard(*arguments, "wide", "--strategy", "mixed", "--search-limit", 64)
    assert not report["search"]["exact"]
    assert report["search"]["lower_bound"] <= exact["cost"] <= report["search"]["cost"]
    assert program.json("verify", tmp_path / "repository/wide", "--against", model)["ok"]
    text = program.run("shard", model, "--ranks", 2, "-o", tmp_path / "repository", "--name", "text", "--strategy",
                       "mixed", "--search-limit", 64).stdout
    assert "too wide to be exact" in text and "lower bound" in text
