"""`tessera serve`: the real program with a real server behind it."""

import json
import os
import select
import signal
import socket
import subprocess
import urllib.request

import numpy as np
import pytest
import tritonclient.http


class Serving:
    """A `tessera serve` that has said it is ready."""

    def __init__(self, tessera, repository, *arguments):
        ports = [word for kind in ("http", "grpc", "metrics") for word in (f"--{kind}-port", "0")]
        self.process = subprocess.Popen([tessera, "serve", repository, *ports, "--json", *arguments],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        self.ready = json.loads(line)

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(timeout=40)


@pytest.fixture
def start(tessera):
    """start(repository, ..): ends with the test."""
    running = []

    def run(repository, *arguments):
        running.append(Serving(tessera, repository, *arguments))
        return running[-1]

    yield run
    for serving in running:
        if serving.process.poll() is None:
            serving.process.kill()
        serving.process.wait()
        serving.process.stdout.close()
        serving.process.stderr.close()


@pytest.fixture(scope="module")
def repository(program, zoo, tmp_path_factory):
    path = tmp_path_factory.mktemp("serve") / "repository"
    program.shard(zoo / "vit.onnx", 2, path, "vit")
    return path


def has_ended(pid: int, timeout: float = 20) -> bool:
    """Waits for a process that is not this one's child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    with os.fdopen(handle):
        return bool(select.select([handle], [], [], timeout)[0])


def test_serves_what_was_sharded(start, repository):
    ready = start(repository).ready
    assert [(m["name"], m["state"]) for m in ready["models"]] == [("vit", "READY")]
    client = tritonclient.http.InferenceServerClient(ready["http"])
    pixels = tritonclient.http.InferInput("pixel_values", [2, 3, 32, 32], "FP32")
    pixels.set_data_from_numpy(np.zeros((2, 3, 32, 32), np.float32))
    assert client.infer("vit", [pixels]).as_numpy("tanh").shape == (2, 64)
    client.close()
    with urllib.request.urlopen(f"http://{ready['metrics']}/metrics", timeout=10) as metrics:
        assert b"nv_inference_count" in metrics.read()
    host, port = ready["grpc"].split(":")
    socket.create_connection((host, int(port)), timeout=10).close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_the_server_in_good_order(start, repository, number):
    serving = start(repository)
    assert serving.end(number) == 0
    assert has_ended(serving.ready["pid"])


def test_the_server_does_not_outlive_the_program(start, repository):
    serving = start(repository)
    serving.process.kill()
    serving.process.wait()
    assert has_ended(serving.ready["pid"])


def test_says_why_a_model_is_not_ready_and_serves_the_others(start, program, zoo, tmp_path):
    program.shard(zoo / "vit.onnx", 2, tmp_path, "vit")
    program.shard(zoo / "vit.onnx", 2, tmp_path, "broken")
    (tmp_path / "broken/1/model.onnx.rank1").unlink()
    states = {model["name"]: model for model in start(tmp_path).ready["models"]}
    assert states["vit"]["state"] == "READY"
    assert states["broken"]["state"] == "UNAVAILABLE"
    assert "model.onnx.rank1" in states["broken"]["reason"]


def test_ends_with_1_when_no_model_is_ready(program, zoo, tmp_path):
    program.shard(zoo / "vit.onnx", 2, tmp_path, "broken")
    (tmp_path / "broken/1/model.onnx.rank1").unlink()
    done = program.run("serve", tmp_path, "--http-port", 0, "--grpc-port", 0, "--metrics-port", 0)
    assert done.returncode == 1
    assert "model.onnx.rank1" in done.stdout
    assert "no model" in done.stderr


def test_refuses_a_port_in_use(program, repository):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        line = program.refuse("serve", repository, "--http-port", port, "--grpc-port", 0, "--metrics-port", 0)
    assert f"127.0.0.1:{port}" in line


def test_refuses_a_repository_without_models(program, tmp_path):
    assert "nosuch" in program.refuse("serve", tmp_path / "nosuch")
    assert "no model" in program.refuse("serve", tmp_path)


def test_refuses_a_triton_that_is_not_there(program, repository):
    assert "/nosuch" in program.refuse("serve", repository, "--triton", "/nosuch")
    assert "libtriton_tensorrt.so" in program.refuse("serve", repository, "--backends", "/nosuch")
