"""Fixtures of the tests of GPU models in a real Triton, with the stand-in engine. run.sh sets the environment:

TESSERA_WRITE_MODEL, TESSERA_BACKENDS, TESSERA_TRITONSERVER, TESSERA_NVINFER_LIBRARY, TESSERA_GPU_MODELS,
TESSERA_GPU_LISTS   lists of GPUs to run models on, ';' between them: default by the number of GPUs. With
                    NCCL_MULTI_RANK_GPU_ENABLE=1 a GPU may stand there several times.
"""

import os
import pathlib
import signal
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "triton"))
from clients import Client  # noqa: E402
from cuda import Cuda, GpuRegion  # noqa: E402
from gpu_models import GpuRepository  # noqa: E402
from server import TritonServer  # noqa: E402

BY_GPUS = {1: "0", 2: "0;1;0,1;1,0", 4: "0;3;1,0;2,3;0,1,2,3;3,1,0,2"}
SHARED = "0;0,0;0,0,0,0"


def gpu_lists() -> list[str]:
    count = int(os.environ.get("TESSERA_GPU_COUNT", "1"))
    default = SHARED if count == 1 and os.environ.get("NCCL_MULTI_RANK_GPU_ENABLE") == "1" else \
        BY_GPUS[max(n for n in BY_GPUS if n <= count)]
    return os.environ.get("TESSERA_GPU_LISTS", default).split(";")


def several() -> list[str]:
    return [gpus for gpus in gpu_lists() if "," in gpus]


def pytest_generate_tests(metafunc):
    """A test with `gpus` runs on every list, one with `few` on those of one or two ranks, one with `ranks_on` on those
    of several, one with `pair` on the first list of two ranks."""
    for name, lists in (("gpus", gpu_lists()), ("few", [g for g in gpu_lists() if g.count(",") < 2]),
                        ("ranks_on", several()),
                        ("pair", [g for g in several() if g.count(",") == 1][:1])):
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, lists)


@pytest.fixture(autouse=True)
def limit():
    """No test outlives TESSERA_GPU_LIMIT seconds, whatever hangs."""
    def too_long(*_):
        raise TimeoutError("the test takes too long")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(int(os.environ.get("TESSERA_GPU_LIMIT", "100")))
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="session")
def cuda() -> Cuda:
    return Cuda()


@pytest.fixture
def repository(tmp_path) -> GpuRepository:
    return GpuRepository(tmp_path / "models")


@pytest.fixture
def fault(tmp_path):
    """fault("fail:rank=1:..") switches a fault of the stand-in on in servers of this test, fault("") off."""
    file = tmp_path / "fault"
    os.environ["TESSERA_STANDIN_FAULT"] = f"@{file}"

    def switch(text: str) -> None:
        part = file.with_suffix(".new")
        part.write_text(text + "\n")
        part.rename(file)

    yield switch
    del os.environ["TESSERA_STANDIN_FAULT"]


@pytest.fixture
def serve():
    """serve(repository, *model names, **options) starts a server with these models loaded; more can be loaded."""
    servers = []

    def start(repository: GpuRepository, *names: str, arguments=(), **options) -> TritonServer:
        wanted = [f"--load-model={name}" for name in names]
        servers.append(TritonServer(repository.path, os.environ["TESSERA_BACKENDS"], "--model-control-mode=explicit",
                                    *wanted, *arguments, **options))
        return servers[-1].start()

    yield start
    for server in servers:
        server.stop()


@pytest.fixture
def gpu_region(cuda):
    """gpu_region(client, name, bytes, device) is GPU memory that the server knows by this name."""
    made = []

    def make(client: Client, name: str, size: int, device: int = 0) -> GpuRegion:
        region = GpuRegion(cuda, device, size)
        region.register(client.raw, name)
        made.append((client, region))
        return region

    yield make
    for client, region in made:
        client.raw.unregister_cuda_shared_memory()
        region.close()
