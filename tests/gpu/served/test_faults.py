"""A rank that fails or hangs in a running server: an error in bounded time, neighbours serve on, SIGTERM ends."""

import contextlib
import queue
import threading
import time

import pytest
from clients import Client, wait_until
from cuda import GpuRegion
from gpu_models import random_rows, relative_error
from tritonclient.utils import InferenceServerException

LIMIT_MS = 2000  # of one step
BOUND = 20.0     # seconds until a failed request has its answer, and until a server has ended
X = {"x": random_rows(16, 1)}

RUNNING = {  # fault of rank 1's enqueue in a model that issues every step anew
    "fails": "fail:rank=1:call=-1:model=/bad/",
    "hangs": "hang:rank=1:call=-1:model=/bad/",
    "skips, so its peers wait": "skip:rank=1:call=-1:model=/bad/",
    "rank 0 fails": "fail:rank=0:call=-1:model=/bad/",
}


class Neighbour:
    """Asks a model again and again in a thread; keeps errors and the longest time of an answer."""

    def __init__(self, server, name: str):
        self._client, self._name = Client(server, "grpc"), name
        self._wanted = self._client.infer(name, X)["y"]
        self._stop, self._answered = threading.Event(), threading.Condition()
        self.count, self.longest, self.errors = 0, 0.0, []
        self._thread = threading.Thread(target=self._run, daemon=True)

    def _run(self):
        while not self._stop.is_set():
            start = time.monotonic()
            try:
                got = self._client.infer(self._name, X)["y"]
                if relative_error(got, self._wanted) > 1e-3:
                    self.errors.append("a wrong answer")
            except Exception as error:  # every one is a failure of the test, whatever it is
                self.errors.append(str(error))
            with self._answered:
                self.longest = max(self.longest, time.monotonic() - start)
                self.count += 1
                self._answered.notify_all()

    def wait_for_more(self, answers: int):
        with self._answered:
            wanted = self.count + answers
            assert self._answered.wait_for(lambda: self.count >= wanted, BOUND), "the neighbour is not answered"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(BOUND)
        assert not self._thread.is_alive(), "the neighbour waits for ever"


@contextlib.contextmanager
def ends_within(seconds: float):
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    assert took <= seconds, f"took {took:.1f} s"


def wait_for_reload(client, wanted):
    """Until `bad`, whose ranks are loaded anew, answers as before."""
    with ends_within(BOUND):
        while True:
            try:
                assert relative_error(client.infer("bad", X)["y"], wanted) <= 1e-3
                break
            except InferenceServerException as error:
                assert "loaded anew" in str(error)


def wait_for_down(server, count: int):
    """Until the server's metrics say that so many instances of `bad` are down."""
    line = f'tessera_instances_down{{model="bad",version="1"}} {count}'
    wait_until(lambda: line in server.metrics_text(), BOUND, line)


def stop_in_time(server):
    with ends_within(BOUND):
        server.stop(timeout=BOUND)


@pytest.mark.parametrize("what", RUNNING)
def test_a_step_that_goes_wrong(serve, repository, fault, pair, what):
    repository.add_mlp("bad", pair, "ranks", cuda_graphs="false", request_timeout_ms=LIMIT_MS)
    repository.add_mlp("good", pair, "ranks", seed=5)
    server = serve(repository, "bad", "good")
    client = Client(server, "grpc")
    wanted = client.infer("bad", X)["y"]
    with Neighbour(server, "good") as neighbour:
        fault(RUNNING[what])
        with ends_within(BOUND), pytest.raises(InferenceServerException) as failed:
            client.infer("bad", X)
        assert "rank" in str(failed.value)
        wait_for_down(server, 1)
        fault("")
        wait_for_reload(client, wanted)
        wait_for_down(server, 0)
        neighbour.wait_for_more(5)
    assert neighbour.errors == []
    assert neighbour.longest <= BOUND
    stop_in_time(server)


def test_a_step_that_hangs_while_it_is_issued(serve, repository, fault, pair):
    """In a thread that the requests behind it would wait for. It never comes back: its request is not answered."""
    repository.add_mlp("bad", pair, "ranks", request_timeout_ms=1000)
    repository.add_mlp("good", pair, "ranks", seed=5)
    server = serve(repository, "bad", "good")
    client = Client(server, "grpc")
    wanted = client.infer("bad", X)["y"]
    lost = queue.SimpleQueue()
    with Neighbour(server, "good") as neighbour:
        fault("shapes:rank=1:model=/bad/")
        new_shape = {"x": random_rows(24, 1)}
        client.raw.async_infer("bad", client.inputs(new_shape), callback=lambda result, error: lost.put(error))
        server.wait_for_log("fault: inferShapes hangs")
        fault("")
        wait_for_reload(client, wanted)
        assert client.infer("bad", new_shape)["y"].shape == (24, 256)
        neighbour.wait_for_more(5)
    assert neighbour.errors == []
    assert lost.empty()
    server._clients.clear()  # noqa: SLF001 - its connection stays open
    assert server.stop(timeout=2 * 10 + 5, check=False) == 1, server.log()
    assert "threads have not ended" in server.log()


def test_a_gpu_that_stands_still_in_a_captured_step(serve, repository, fault, pair):
    fault("stall:rank=1:call=6:model=/bad/")
    repository.add_mlp("bad", pair, "ranks", request_timeout_ms=1000)
    repository.add_mlp("good", pair, "ranks", seed=5)
    server = serve(repository, "bad", "good")
    client = Client(server, "grpc")
    with Neighbour(server, "good") as neighbour:
        with ends_within(BOUND), pytest.raises(InferenceServerException):
            for _ in range(20):
                client.infer("bad", X)
        fault("")
        with ends_within(BOUND):
            assert client.infer("bad", X)["y"].shape == (16, 256)
    assert neighbour.errors == []
    stop_in_time(server)


@pytest.mark.parametrize("text", ["communicator:rank=1:model=/bad/", "fail:rank=1:call=0:model=/bad/",
                                  "hang:rank=1:call=0:model=/bad/", "skip:rank=1:call=0:model=/bad/"],
                         ids=lambda text: text.split(":")[0])
def test_a_load_that_goes_wrong(serve, repository, fault, pair, text):
    fault(text)
    repository.add_mlp("bad", pair, "ranks", load_timeout_ms=8000)
    repository.add_mlp("good", pair, "ranks", seed=5)
    server = serve(repository, "good")
    client = Client(server, "http")
    with Neighbour(server, "good") as neighbour:
        with ends_within(BOUND + 8), pytest.raises(InferenceServerException, match="rank"):
            client.raw.load_model("bad")
        assert not client.raw.is_model_ready("bad")
        fault("")
        with ends_within(BOUND):
            client.raw.load_model("bad")
        assert client.infer("bad", X)["y"].shape == (16, 256)
    assert neighbour.errors == []
    stop_in_time(server)


@pytest.mark.parametrize("kind", ["hang", "skip"])
@pytest.mark.parametrize(("limit_ms", "status"), [(3000, 0), (60_000, 1)],
                         ids=["the step ends in time", "the server's own time is over"])
def test_a_server_ends_while_a_step_hangs(serve, repository, cuda, fault, pair, kind, limit_ms, status):
    """The test server has --exit-timeout-secs=10: it waits so long for requests, then for models, then ends all the same.
    Shared GPU memory has its own CUDA begin after the load, which waits at the exit, too."""
    repository.add_mlp("bad", pair, "ranks", cuda_graphs="false", request_timeout_ms=limit_ms)
    server = serve(repository, "bad")
    client = Client(server, "grpc")
    client.infer("bad", X)
    shared = GpuRegion(cuda, int(pair.split(",")[0]), 1 << 20)
    shared.register(client.raw, "shared")
    fault(f"{kind}:rank=1:call=-1:model=/bad/")
    answer = queue.SimpleQueue()
    client.raw.async_infer("bad", client.inputs(X), callback=lambda result, error: answer.put(error))
    server.wait_for_log("fault: enqueue")  # the stand-in's word that the step hangs now
    server._clients.clear()  # noqa: SLF001 - the connection stays open: its answer comes while the server ends
    ended = server.stop(timeout=BOUND if status == 0 else 2 * 10 + 5, check=False)
    assert ended == status, server.log()  # of one that had to be killed: where its threads were
    if status != 0:
        assert "threads have not ended" in server.log()
    assert answer.get(timeout=5) is not None and answer.empty()
    shared.close()
