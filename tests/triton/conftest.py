"""Fixtures of the tests that talk to a real Triton server with the backend built from this tree."""

import os
import pathlib
import signal

import pytest
from models import Repository
from server import TritonServer

ROOT = pathlib.Path(__file__).resolve().parents[2]


TEST_SECONDS = 120


@pytest.fixture(autouse=True)
def timeout():
    """Ends a test that hangs."""

    def end(*_):
        raise TimeoutError(f"the test took longer than {TEST_SECONDS} s")

    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(TEST_SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def backends() -> pathlib.Path:
    path = pathlib.Path(os.environ.get("TESSERA_BACKENDS", ROOT / "build/release/backends")).resolve()
    library = path / "tensorrt/libtriton_tensorrt.so"
    if not library.is_file():
        pytest.fail(f"no backend at {library}: './dev build' makes it, TESSERA_BACKENDS names its folder")
    return path


@pytest.fixture
def repository(tmp_path) -> Repository:
    return Repository(tmp_path / "models")


@pytest.fixture
def serve(backends):
    """serve(repository, *arguments of tritonserver) starts a server that ends with the test."""
    servers = []

    def start(repository: Repository, *arguments: str, **options) -> TritonServer:
        servers.append(TritonServer(repository.path, backends, *arguments, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()
