"""How much faster N GPUs are than one through a real Triton over gRPC, with x and y in CUDA shared memory of rank 0's GPU,
beside the executor's own speed-up (executor_speed, run here): a table in Markdown. run.sh sets the environment.

    grpc_bench.py [--seconds 0.7] [--clients 4]
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "triton"))
from bench_clients import Clients, median_time, rate  # noqa: E402
from clients import Client  # noqa: E402
from cuda import Cuda, GpuRegion  # noqa: E402
from gpu_models import GpuRepository, relative_error  # noqa: E402
from server import TritonServer  # noqa: E402
from tritonclient.grpc import service_pb2  # noqa: E402

HIDDEN = 4096
MLP = {"k": HIDDEN, "f": 8192, "n": HIDDEN, "best_m": 2048, "most_m": 2048}
LIMITS = {"mlp": 1e-3, "attention": 3.6e-3}  # of the answers, to one GPU's
SAMPLE = 31  # every so manieth value of an answer is compared
WANTED = 95
IN_FLIGHT = (1, 2)
HEAD = """
speed over gRPC: {clients} client processes for the rate; us, medians; each speed-up is over one GPU in the same column
| model | GPUs | executor's step, x in place | speed-up | steps in flight | request, 1 under way | speed-up | of the executor's \
| requests/s, {clients} under way | speed-up | of the executor's (wanted >= {wanted}%) |
|---|---|---|---|---|---|---|---|---|---|---|"""


@dataclasses.dataclass
class Row:
    """A model's size on a list of GPUs."""
    model: str
    size: int
    gpus: str
    step_us: float

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.size, HIDDEN) if self.model == "mlp" else (1, self.size, HIDDEN)

    @property
    def bytes(self) -> int:
        return 2 * self.size * HIDDEN


def executor_rows() -> list[Row]:
    lines = subprocess.run([os.environ["TESSERA_EXECUTOR_SPEED"]], check=True, stdout=subprocess.PIPE, text=True).stdout
    return [Row(model, int(size), gpus, float(step)) for model, size, gpus, step in map(str.split, lines.splitlines())]


def add_model(repository: GpuRepository, name: str, row: Row) -> None:
    """Not batched: a request is a step."""
    dims = ", ".join(map(str, (-1 if size == row.size else size for size in row.shape)))
    config = "\n".join(f'{kind} [ {{ name: "{tensor}" data_type: TYPE_FP16 dims: [ {dims} ] }} ]'
                       for kind, tensor in (("input", "x"), ("output", "y")))
    if row.model == "mlp":
        repository.add_mlp(name, row.gpus, "plan", config, MLP, steps_in_flight=1)
    else:
        repository.add_attention(name, row.gpus, config, steps_in_flight=1)


def configure(repository: GpuRepository, name: str, before: int, now: int) -> None:
    file = repository.path / name / "config.pbtxt"
    words = 'key: "steps_in_flight" value {{ string_value: "{}" }}'
    text = file.read_text()
    assert words.format(before) in text
    file.write_text(text.replace(words.format(before), words.format(now)))


class Regions:
    """x for all clients, and a y for each, on one GPU; random: a GPU that multiplies zeros takes less power."""

    def __init__(self, client: Client, device: int, size: int, count: int):
        cuda = Cuda()
        self._client = client
        self.x = GpuRegion(cuda, device, size)
        self.y = [GpuRegion(cuda, device, size) for _ in range(count)]
        self.x.write(np.random.default_rng(1).random(size // 2, np.float32).astype(np.float16) - np.float16(0.5))
        for name, region in self._named():
            region.register(client.raw, name)

    def _named(self):
        return [("x", self.x), *((f"y{i}", region) for i, region in enumerate(self.y))]

    def close(self) -> None:
        self._client.raw.unregister_cuda_shared_memory()
        for _, region in self._named():
            region.close()


def request_bytes(model: str, row: Row, number: int) -> bytes:
    """As client `number` sends it."""
    request = service_pb2.ModelInferRequest(model_name=model)
    x = request.inputs.add(name="x", datatype="FP16", shape=row.shape)
    y = request.outputs.add(name="y")
    for tensor, region in ((x, "x"), (y, f"y{number}")):
        tensor.parameters["shared_memory_region"].string_param = region
        tensor.parameters["shared_memory_byte_size"].int64_param = row.bytes
    return request.SerializeToString()


@dataclasses.dataclass
class Figures:
    request_us: float
    rate: float


class Bench:
    def __init__(self, clients: Clients, count: int, seconds: float, regions: Regions):
        self._clients, self._count, self._seconds, self._regions = clients, count, seconds, regions
        self._answers: dict[tuple, np.ndarray] = {}  # of one GPU
        self._alone: dict[tuple, tuple[Row, Figures]] = {}

    def measure(self, name: str, row: Row, in_flight: int) -> None:
        requests = [request_bytes(name, row, i) for i in range(self._count)]
        self._clients.ask(requests, 0, 0, 1)  # the shape is seen the first time
        self._check(row)
        warm = 3 if row.step_us < 50_000 else 1  # memory is used in place from the third request on
        one = self._clients.ask(requests[:1], self._seconds, warm, 6)
        all_together = self._clients.ask(requests, self._seconds, warm, 4)
        figures = Figures(median_time(one) * 1e6, rate(all_together))
        self._print(row, in_flight, figures, *self._alone.setdefault((row.model, row.size, in_flight), (row, figures)))

    def _check(self, row: Row) -> None:
        for region in self._regions.y:
            got = region.read(np.float16, (row.size * HIDDEN,))[::SAMPLE]
            error = relative_error(got, self._answers.setdefault((row.model, row.size), got))
            if not error <= LIMITS[row.model]:
                raise RuntimeError(f"{row}: the answer is {error:.1e} off that of one GPU")

    @staticmethod
    def _print(row: Row, in_flight: int, now: Figures, alone: Row, first: Figures) -> None:
        executor = alone.step_us / row.step_us
        by_time, by_rate = first.request_us / now.request_us, now.rate / first.rate
        few = "" if 100 * by_rate / executor >= WANTED else " (less)"
        print(f"| {row.model} {row.size} | {row.gpus} | {row.step_us:.1f} | {executor:.2f}x | {in_flight} | "
              f"{now.request_us:.1f} | {by_time:.2f}x | {100 * by_time / executor:.1f}% | {now.rate:.1f} | {by_rate:.2f}x | "
              f"{100 * by_rate / executor:.1f}%{few} |", flush=True)


def groups(rows: list[Row]) -> dict[tuple[str, str], list[Row]]:
    """By model and GPUs: what one loaded model serves."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row.model, row.gpus), []).append(row)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=0.7)
    parser.add_argument("--clients", type=int, default=4)
    options = parser.parse_args()
    rows = executor_rows()
    with contextlib.ExitStack() as stack:
        repository = GpuRepository(pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory())))
        server = stack.enter_context(TritonServer(repository.path, os.environ["TESSERA_BACKENDS"],
                                                  "--model-control-mode=explicit"))
        client = Client(server, "grpc")
        regions = Regions(client, int(rows[0].gpus.split(",")[0]), max(row.bytes for row in rows), options.clients)
        stack.callback(regions.close)
        clients = stack.enter_context(Clients(server.grpc, options.clients))
        bench = Bench(clients, options.clients, options.seconds, regions)
        print(HEAD.format(clients=options.clients, wanted=WANTED), flush=True)
        for number, of_model in enumerate(groups(rows).values()):
            name = f"m{number}"
            add_model(repository, name, of_model[0])
            for before, in_flight in zip((1, *IN_FLIGHT), IN_FLIGHT):
                configure(repository, name, before, in_flight)
                client.raw.load_model(name)
                for row in of_model:
                    bench.measure(name, row, in_flight)
            client.raw.unload_model(name)


if __name__ == "__main__":
    main()
