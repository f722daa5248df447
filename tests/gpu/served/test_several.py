"""Several multi-GPU models in one server: on the same GPUs, on others, at the same time, loaded and unloaded."""

import concurrent.futures
import os

import pytest
from clients import Client, wait_until
from gpu_models import random_rows, relative_error
from tritonclient.utils import InferenceServerException

CYCLES = int(os.environ.get("TESSERA_GPU_CYCLES", "20"))
MEGABYTE = 1 << 20


def ask(server, name: str, times: int, rows: int) -> None:
    client = Client(server, "grpc")
    x = {"x": random_rows(rows, rows)}
    first = client.infer(name, x)["y"]
    for _ in range(times):
        assert relative_error(client.infer(name, x)["y"], first) <= 1e-3


def test_two_models_on_the_same_gpus_from_cold(serve, repository, pair):
    """Loaded together, asked together, with shapes that no load has seen: CYCLES times."""
    reverse = ",".join(reversed(pair.split(",")))
    repository.add_mlp("a", pair, "ranks")
    repository.add_mlp("b", reverse, "plan", seed=3)
    server = serve(repository)
    loader = Client(server, "http")
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for cycle in range(CYCLES):
            list(pool.map(lambda name: server.http_client().load_model(name), ["a", "b"]))
            asked = [pool.submit(ask, server, name, 10, rows) for name in "ab" for rows in (3 + cycle, 40)]
            for one in asked:
                one.result(timeout=60)
            for name in "ab":
                loader.raw.unload_model(name)
            for name in "ab":
                wait_unloaded(loader, name)


def test_cold_servers(serve, repository, pair):
    """The server itself started anew: the first kernels of the process are loaded by two models at once."""
    repository.add_mlp("a", pair, "ranks")
    repository.add_mlp("b", pair, "ranks", seed=3)
    for _ in range(int(os.environ.get("TESSERA_GPU_STARTS", "4"))):
        server = serve(repository, "a", "b", ready_timeout=60)
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for one in [pool.submit(ask, server, name, 5, rows) for name in "ab" for rows in (7, 33)]:
                one.result(timeout=60)
        server.stop(timeout=20)


def wait_unloaded(client, name: str) -> None:
    def gone() -> bool:
        states = [model.get("state") for model in client.raw.get_model_repository_index() if model["name"] == name]
        return not client.raw.is_model_ready(name) and set(states) <= {None, "UNAVAILABLE"}

    wait_until(gone, 30, f"{name} is unloaded")


def used(cuda, gpus: str) -> int:
    return sum(cuda.used_bytes(gpu) for gpu in {int(g) for g in gpus.split(",")})


def test_loading_and_unloading_leaks_no_memory(serve, repository, cuda, ranks_on):
    repository.add_mlp("m", ranks_on, "ranks")
    client = Client(serve(repository), "http")
    levels = []
    for _ in range(CYCLES):
        client.raw.load_model("m")
        client.infer("m", {"x": random_rows(16)})
        client.raw.unload_model("m")
        wait_unloaded(client, "m")
        levels.append(used(cuda, ranks_on))
    assert max(levels[CYCLES // 2:]) <= max(levels[2:CYCLES // 2]) + MEGABYTE, [level // MEGABYTE for level in levels]


@pytest.mark.parametrize("text", ["communicator:rank=1:model=/m/", "fail:rank=1:call=0:model=/m/"],
                         ids=lambda text: text.split(":")[0])
def test_failed_loads_leak_no_memory(serve, repository, cuda, fault, pair, text):
    fault(text)
    repository.add_mlp("m", pair, "ranks")
    client = Client(serve(repository), "http")
    levels = []
    for _ in range(CYCLES):
        with pytest.raises(InferenceServerException, match="rank"):
            client.raw.load_model("m")
        levels.append(used(cuda, pair))
    assert max(levels[CYCLES // 2:]) <= max(levels[2:CYCLES // 2]) + MEGABYTE, [level // MEGABYTE for level in levels]


def test_models_on_other_gpus_do_not_meet(serve, repository, ranks_on):
    """One list's model and its GPUs one by one: all at once."""
    names = [repository.add_mlp("ranks", ranks_on, "ranks")]
    for gpu in sorted(set(ranks_on.split(","))):
        names.append(repository.add_mlp(f"on{gpu}", gpu, "ranks"))
    server = serve(repository, *names)
    with concurrent.futures.ThreadPoolExecutor(len(names)) as pool:
        for one in [pool.submit(ask, server, name, 50, 16) for name in names]:
            one.result(timeout=60)
