"""Fixtures of the tests that talk to a real Triton server with the backend built from this tree."""

import pytest
from models import Repository
from server import TritonServer


@pytest.fixture(scope="session")
def multi_device_build(backends) -> bool:
    """Whether TensorRT models on several GPUs are in this build; a folder without CMake's word is a release build."""
    cache = backends.parent / "CMakeCache.txt"
    return cache.exists() and "TRITON_ENABLE_TENSORRT_MULTI_DEVICE:BOOL=ON" in cache.read_text()


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
