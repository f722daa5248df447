"""Loading and unloading while the server runs."""

import os
import signal

import models
import numpy as np
import pytest
from clients import Client
from tritonclient.utils import InferenceServerException

CYCLES = 20


def cycle(client, model):
    client.raw.load_model(model)
    x = np.ones((3, 4), np.float32)
    np.testing.assert_allclose(client.infer(model, {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)
    client.raw.unload_model(model)


def wait_for_unload(server, model, count):
    server.wait_for_log(f"successfully unloaded '{model}'", count=count)


def test_explicit_load_and_unload_leave_nothing_behind(serve, repository):
    server = serve(repository.add_sharded_mlp("mlp", ranks=2), "--model-control-mode=explicit")
    client = Client(server, "http")
    for warm_up in range(3):
        cycle(client, "mlp")
        wait_for_unload(server, "mlp", warm_up + 1)
    threads, memory = server.thread_count(), server.resident_bytes()
    for n in range(CYCLES):
        cycle(client, "mlp")
        wait_for_unload(server, "mlp", 3 + n + 1)
    assert server.thread_count() <= threads + 2  # the server keeps one or two of its own now and then
    assert server.resident_bytes() - memory < 16 << 20, "20 cycles of a 2-rank model kept more than 16 MiB"


def test_failed_loads_leave_nothing_behind(serve, repository):
    repository.add_sharded_mlp("bad", ranks=2).add_sharded_mlp("good", ranks=2)
    (repository.path / "bad/1/model.onnx.rank1").write_bytes(b"broken")
    server = serve(repository, "--model-control-mode=explicit")
    client = Client(server, "http")
    threads = None
    for _ in range(CYCLES):
        with pytest.raises(InferenceServerException, match="model.onnx.rank1"):
            client.raw.load_model("bad")
        threads = threads or server.thread_count()
    assert server.thread_count() <= threads + 2  # the server keeps one or two of its own now and then
    cycle(client, "good")


def test_reload_takes_a_new_version(serve, repository):
    repository.add("model", models.affine())
    server = serve(repository, "--model-control-mode=explicit", "--load-model=model")
    client = Client(server, "http")
    models.write_sharded_mlp(repository.path / "model/2")
    client.raw.load_model("model")
    x = np.ones((3, 4), np.float32)
    np.testing.assert_allclose(client.infer("model", {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)


def test_a_server_that_does_not_end_tells_where_its_threads_are(serve, repository):
    """Of the tests' own means: what a test that fails with it leaves to go by."""
    server = serve(repository.add_sharded_mlp("mlp", ranks=2))
    os.kill(server.pid, signal.SIGSTOP)  # or it might have ended its ranks before they are looked at
    os.waitid(os.P_PID, server.pid, os.WSTOPPED | os.WNOWAIT)
    assert server.stop(timeout=0, check=False) == -signal.SIGKILL
    log = server.log()
    assert "tessera-rank1: T" in log  # a rank's thread is stopped
    assert "libtriton_tensorrt.so+0x" in log and "libc.so.6+0x" in log
