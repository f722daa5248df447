"""verify --trace: names the first value of the ranks that is not what the whole model computes."""

import json
import subprocess

import onnx
import pytest


@pytest.fixture
def bert(tessera, zoo, tmp_path):
    """(run, directory): run(*options) verifies a BERT sharded over two ranks; its files lie in the directory."""
    file = zoo / "bert_dyn.onnx"
    repository = tmp_path / "repository"
    subprocess.run([tessera, "shard", file, "--ranks", "2", "--strategy", "tensor", "--trace", "-o", repository],
                   check=True, capture_output=True)

    def run(*options):
        command = [tessera, "verify", repository / "bert_dyn", "--against", file, *options]
        return subprocess.run(command, capture_output=True, text=True)

    return run, repository / "bert_dyn/1"


def test_every_value_of_a_right_model_is_right(bert):
    run, _ = bert
    done = run("--trace", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["ok"]
    assert report["compared"] > 50


def test_the_first_wrong_value_is_named(bert):
    run, directory = bert
    file = directory / "model.onnx.rank1"
    model = onnx.load(file, load_external_data=False)
    softmax = [node for node in model.graph.node if node.op_type == "Softmax"][1]
    next(a for a in softmax.attribute if a.name == "axis").i = 2
    onnx.save(model, file)
    plan = json.loads((directory / "plan.json").read_text())
    artifact = plan["ranks"][1]["model"]
    artifact["bytes"] = file.stat().st_size
    artifact["sha256"] = subprocess.run(["sha256sum", file], capture_output=True, text=True).stdout.split()[0]
    (directory / "plan.json").write_text(json.dumps(plan))
    done = run("--trace", "--json")
    assert done.returncode == 1, done.stderr
    wrong = json.loads(done.stdout)["first_wrong"]
    assert wrong["node"] == f"Softmax '{softmax.name}'"
    assert wrong["value"] == softmax.output[0]


def test_a_model_without_a_trace_is_said_to_have_none(bert):
    run, directory = bert
    (directory / "trace.json").unlink()
    done = run("--trace")
    assert done.returncode == 2
    assert "shard the model again with --trace" in done.stderr
