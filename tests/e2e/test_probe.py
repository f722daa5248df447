"""The recorded probe: a model whose ranks answer otherwise is not served, and says by how much."""

import hashlib
import json
import re

import numpy as np
import pytest
from clients import Client
from reference import worst_relative_error


def probe_of(version):
    """(inputs, answers) of a recorded probe, by name; the same as docs/reference/plan.md tells."""
    plan = json.loads((version / "plan.json").read_text())
    content = (version / "probe.bin").read_bytes()
    types = {"FP32": np.float32, "INT64": np.int64}
    tensors, at = [], 0
    shapes = [*plan["probe"]["inputs"], *(output["shape"] for output in plan["probe"]["outputs"])]
    for tensor, shape in zip([*plan["inputs"], *plan["outputs"]], shapes, strict=True):
        at = -(-at // 64) * 64
        size = int(np.prod(shape)) * np.dtype(types[tensor["type"]]).itemsize
        tensors.append((tensor["name"], np.frombuffer(content[at:at + size], types[tensor["type"]]).reshape(shape)))
        at += size
    assert at == len(content)
    return dict(tensors[:len(plan["inputs"])]), dict(tensors[len(plan["inputs"]):])


def spoil(version, share):
    """The last value of the recorded answer is off by `share` of the largest; plan.json tells of the new file."""
    plan = json.loads((version / "plan.json").read_text())
    largest = np.abs(list(probe_of(version)[1].values())[-1]).max()
    content = bytearray((version / "probe.bin").read_bytes())
    [last] = np.frombuffer(content[-4:], np.float32)
    content[-4:] = np.float32(last + share * largest).tobytes()
    (version / "probe.bin").write_bytes(content)
    plan["probe"]["file"]["sha256"] = hashlib.sha256(content).hexdigest()
    (version / "plan.json").write_text(json.dumps(plan))


@pytest.fixture(scope="module")
def repository(program, zoo, tmp_path_factory):
    path = tmp_path_factory.mktemp("probed") / "repository"
    for name in ("right", "wrong", "untried"):
        program.shard(zoo / "bert_dyn.onnx", 2, path, name, "--strategy", "tensor", "--probe")
    for name in ("wrong", "untried"):
        spoil(path / name / "1", 0.25)
    with (path / "untried/config.pbtxt").open("a") as config:
        config.write('parameters { key: "probe" value { string_value: "false" } }\n')
    return path


@pytest.fixture(scope="module")
def server(repository, backends):
    from server import TritonServer

    with TritonServer(repository, backends, tolerant=True) as running:
        yield running


def test_the_recorded_answer_is_the_whole_models(repository, reference):
    inputs, answers = probe_of(repository / "right/1")
    assert {name: value.shape for name, value in inputs.items()} == {"input_ids": (2, 16), "attention_mask": (2, 16)}
    assert inputs["input_ids"].max() > 1, "indexes of the table, not masks"
    assert worst_relative_error(answers, reference("bert_dyn").answer(inputs)) <= 1e-5
    assert json.loads((repository / "right/1/plan.json").read_text())["probe"]["reference"] == "model"


@pytest.mark.parametrize("name", ["right", "untried"])
def test_a_model_whose_ranks_answer_so_is_served_and_one_that_is_not_tried(server, reference, name):
    inputs = reference("bert_dyn").random_inputs(2, 8)
    assert worst_relative_error(Client(server, "http").infer(name, inputs), reference("bert_dyn").answer(inputs)) <= 1e-5


def test_a_model_whose_ranks_answer_otherwise_is_not_ready_and_says_how_far_off(server):
    client = server.http_client()
    assert not client.is_model_ready("wrong")
    [reason] = [entry["reason"] for entry in client.get_model_repository_index() if entry["name"] == "wrong"]
    assert re.search("probe: output '.*' of rank [01] is 0.25 off the recorded answer, wanted at most 0.0001", reason), reason


def test_how_far_off_they_are_is_logged_as_verbosely_as_a_client_wants(repository, serve):
    server = serve(repository, "--model-control-mode=explicit")
    client = server.http_client()
    for time, (level, lines) in enumerate([(0, 0), (1, 1), (0, 1)], start=1):
        client.update_log_settings({"log_verbose_level": level})
        client.load_model("right")
        client.unload_model("right")
        server.wait_for_log("successfully unloaded 'right'", count=time)
        assert server.log().count("probe: output 'tanh' of rank 1 is") == lines
