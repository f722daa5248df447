"""A tiny one-rank model through Triton against a backend that only copies: `./dev bench -k triton_overhead`.

Same server, same client, same configuration, in turns of half a second, so that both meet the same other load.
"""

import pathlib
import statistics
import subprocess

import models
import pytest
from server import TritonServer

TURNS = 12
SECONDS = 0.5
WANTED = 0.70
CONFIG = """parameters { key: "threads_per_rank" value { string_value: "1" } }
    max_batch_size: 64 dynamic_batching { } instance_group { kind: KIND_MODEL }
    input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" data_type: TYPE_FP32 dims: 4 }"""


@pytest.fixture(scope="module")
def build(backends) -> pathlib.Path:
    """The build that the backend comes from: the copying backend and the client lie in it."""
    return backends.parent


@pytest.fixture(scope="module")
def server(tmp_path_factory, backends, build):
    folder = tmp_path_factory.mktemp("overhead")
    both = folder / "backends"
    both.mkdir()
    (both / "tensorrt").symlink_to(backends / "tensorrt")
    (both / "copy").symlink_to(build / "test_backends/copy")
    repository = models.Repository(folder / "models")
    for name in ("tensorrt", "copy"):
        repository.add(name, models.affine(), CONFIG)
        (repository.path / name / "config.pbtxt").write_text(f'backend: "{name}" {CONFIG}')
    with TritonServer(repository.path, both) as running:
        yield running


def requests_per_second(build, server, model, connections) -> float:
    port = server.http.split(":")[1]
    command = [build / "bin/triton_load_client", port, model, str(connections), str(SECONDS)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout)


@pytest.mark.parametrize("connections", [1, 4, 8])
def test_tiny_model_reaches_the_throughput_of_copying(build, server, connections):
    turns = [(requests_per_second(build, server, "tensorrt", connections),
              requests_per_second(build, server, "copy", connections)) for _ in range(TURNS)]
    ratios = sorted(ours / copy for ours, copy in turns)
    ours, copy = (statistics.median(side) for side in zip(*turns))
    print(f"\nHTTP, {connections} connections: {ours:.0f}/s, only copying {copy:.0f}/s, ratio "
          f"{statistics.median(ratios):.2f} (middle half {ratios[TURNS // 4]:.2f} .. {ratios[-TURNS // 4]:.2f}, "
          f"{TURNS} turns of {SECONDS} s)")
    assert statistics.median(ratios) >= WANTED
