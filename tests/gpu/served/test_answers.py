"""What GPU models answer through the server's protocols, wherever requests' memory lies."""

import concurrent.futures
import os

import numpy as np
import pytest
import tritonclient.utils.shared_memory as system_memory
from clients import PROTOCOLS, Client
from gpu_models import MLP, cases, random_rows, relative_error

ROWS = (1, 16, 64)
FORMS = ("ranks", "plan", "row_split")


def usable_rows(gpus: str):
    """A row_split model's rows are a multiple of its ranks."""
    return [rows for rows in ROWS if rows % (gpus.count(",") + 1) == 0]


@pytest.mark.parametrize("form", FORMS)
def test_ranks_answer_as_one_gpu(serve, repository, gpus, form):
    if form == "row_split" and "," not in gpus:
        pytest.skip("one rank has no collective")
    repository.add_mlp("whole", form="one")
    repository.add_mlp("ranks", gpus, form)
    server = serve(repository, "whole", "ranks")
    for protocol in PROTOCOLS:
        client = Client(server, protocol)
        for rows in usable_rows(gpus):
            x = {"x": random_rows(rows, rows)}
            assert relative_error(client.infer("ranks", x)["y"], client.infer("whole", x)["y"]) <= 1e-3
    if "," in gpus:
        assert f"TensorRT Multi-Device ready: {gpus.count(',') + 1} ranks" in server.log()


@pytest.mark.parametrize("graphs", ["true", "false"])
def test_sharded_models_answer_as_onnxruntime_and_cpu_ranks(serve, repository, ranks_on, graphs):
    models = {case.name: case for case in cases(ranks_on.count(",") + 1)}
    if not models:
        pytest.skip("no sharded models here: make_cases.py makes them")
    requests = {name: repository.add_case(name, case, ranks_on, cuda_graphs=graphs) for name, case in models.items()}
    server = serve(repository, *models)
    for protocol in PROTOCOLS:
        client = Client(server, protocol)
        for name in models:
            for request in requests[name]:
                got = client.infer(name, request["input"])
                for whose in ("answer", "cpu"):
                    for output, wanted in request[whose].items():
                        limit = request["limit"].get(output, 5e-3 if got[output].dtype == np.float16 else 1e-4)
                        assert relative_error(got[output], wanted) <= limit, (name, whose, output)


def test_kind_gpu_serves_one_gpu(serve, repository):
    repository.add_mlp("whole", form="one")
    repository.add_mlp("twice", form="one", config="instance_group [ { kind: KIND_GPU count: 2 gpus: [ 0 ] } ]")
    client = Client(serve(repository, "whole", "twice"), "grpc")
    x = {"x": random_rows(16)}
    np.testing.assert_array_equal(client.infer("twice", x)["y"], client.infer("whole", x)["y"])


def test_two_instances_on_the_same_gpus_take_turns(serve, repository, pair):
    two = "dynamic_batching { }\ninstance_group [ { kind: KIND_MODEL count: 2 } ]"
    repository.add_mlp("m", pair, "ranks", two)
    repository.add_mlp("one", pair, "ranks")
    server = serve(repository, "m", "one")
    wanted = Client(server, "grpc")

    def ask(number: int):
        client = Client(server, PROTOCOLS[number % 2])
        for turn in range(20):
            x = {"x": random_rows(1 + (number + turn) % 16, number)}
            assert relative_error(client.infer("m", x)["y"], wanted.infer("one", x)["y"]) <= 1e-3

    with concurrent.futures.ThreadPoolExecutor(6) as pool:
        for done in [pool.submit(ask, number) for number in range(6)]:
            done.result()
    assert server.log().count("TensorRT Multi-Device ready: 2 ranks (model 'm/1'") == 2


class Places:
    """Where a request's tensors are: "plain" (in the message), "system" or "cuda" shared memory."""

    def __init__(self, client, gpu_region, device: int):
        self._client, self._device, self._gpu_region = client, device, gpu_region
        self._system, self._cuda, self._count = {}, {}, 0

    def input(self, where: str, x: np.ndarray):
        tensor = self._client.library.InferInput("x", list(x.shape), "FP16")
        if where == "plain":
            tensor.set_data_from_numpy(x)
        else:
            name = self._region(where, x.nbytes)
            if where == "cuda":
                self._cuda[name].write(x)
            else:
                system_memory.set_shared_memory_region(self._system[name], [x])
            tensor.set_shared_memory(name, x.nbytes)
        return tensor

    def output(self, where: str, rows: int):
        """The request's output, and what reads it from the result."""
        shape = (rows, MLP["n"])
        size = rows * MLP["n"] * 2
        wanted = self._client.library.InferRequestedOutput("y")
        if where == "plain":
            return wanted, lambda result: result.as_numpy("y")
        name = self._region(where, size)
        wanted.set_shared_memory(name, size)
        if where == "cuda":
            return wanted, lambda _: self._cuda[name].read(np.float16, shape)
        return wanted, lambda _: system_memory.get_contents_as_numpy(self._system[name], np.float16, shape)

    def _region(self, where: str, size: int) -> str:
        self._count += 1
        name = f"{where}_{os.getpid()}_{self._device}_{self._count}"
        if where == "cuda":
            self._cuda[name] = self._gpu_region(self._client, name, size, self._device)
        else:
            self._system[name] = system_memory.create_shared_memory_region(name, f"/tessera_gpu_{name}", size)
            self._client.raw.register_system_shared_memory(name, f"/tessera_gpu_{name}", size)
        return name

    def close(self):
        for region in self._system.values():
            system_memory.destroy_shared_memory_region(region)


@pytest.fixture
def places(gpu_region):
    made = []

    def make(client, device):
        made.append(Places(client, gpu_region, device))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_memory_of_requests_may_be_anywhere(serve, repository, places, few, protocol):
    repository.add_mlp("m", few, "ranks")
    client = Client(serve(repository, "m"), protocol)
    x = random_rows(16, 5)
    wanted = client.infer("m", {"x": x})["y"]
    for device in sorted({int(gpu) for gpu in few.split(",")}):
        at = places(client, device)
        for source in ("plain", "system", "cuda"):
            for target in ("plain", "system", "cuda"):
                given, (asked, read) = at.input(source, x), at.output(target, 16)
                for _ in range(5):  # the third time on, memory of a GPU is used in place
                    result = client.raw.infer("m", [given], outputs=[asked])
                    np.testing.assert_array_equal(read(result), wanted, err_msg=f"{source} to {target}")


def test_new_content_in_the_same_gpu_memory_is_seen(serve, repository, gpu_region, few):
    repository.add_mlp("m", few, "ranks")
    client = Client(serve(repository, "m"), "grpc")
    size = 16 * MLP["k"] * 2
    source, target = gpu_region(client, "in", size), gpu_region(client, "out", size)
    given = client.library.InferInput("x", [16, MLP["k"]], "FP16")
    given.set_shared_memory("in", size)
    asked = client.library.InferRequestedOutput("y")
    asked.set_shared_memory("out", size)
    for seed in range(12):
        x = random_rows(16, seed)
        source.write(x)
        client.raw.infer("m", [given], outputs=[asked])
        np.testing.assert_array_equal(target.read(np.float16, (16, MLP["n"])), client.infer("m", {"x": x})["y"])


def test_many_clients_at_a_time_are_answered_with_their_own(serve, repository, gpu_region, few):
    """Eight clients, half of them in CUDA shared memory, rows from few to many: two steps are in flight all the time."""
    sizes = {**MLP, "k": 2048, "n": 2048, "most_m": 512}
    # Each request a step of its own: the two models are to run the same ones.
    ends = 'name: "{}" data_type: TYPE_FP16 dims: [ -1, 2048 ]'
    config = f"input [ {{ {ends.format('x')} }} ]\noutput [ {{ {ends.format('y')} }} ]"
    repository.add_mlp("m", few, "ranks", config, sizes=sizes, steps_in_flight=2)
    repository.add_mlp("one_by_one", few, "ranks", config, sizes=sizes, steps_in_flight=1)
    server = serve(repository, "m", "one_by_one")
    rows = (16, 512, 128, 509)
    calm = Client(server, "grpc")
    inputs = [random_rows(rows[i % 4], i, sizes) for i in range(8)]
    wanted = [calm.infer("one_by_one", {"x": x})["y"] for x in inputs]

    def ask_plain(number: int):
        client = Client(server, PROTOCOLS[number % 2])
        for turn in range(12):
            at = (number + turn) % 8
            np.testing.assert_array_equal(client.infer("m", {"x": inputs[at]})["y"], wanted[at], err_msg=f"plain {at}")

    def ask_cuda(number: int):
        client = Client(server, "grpc")
        most = max(x.nbytes for x in inputs)
        source, target = gpu_region(client, f"in{number}", most), gpu_region(client, f"out{number}", most)
        for turn in range(12):
            at = (number + turn) % 8
            source.write(inputs[at])
            given = client.library.InferInput("x", list(inputs[at].shape), "FP16")
            given.set_shared_memory(f"in{number}", inputs[at].nbytes)
            asked = client.library.InferRequestedOutput("y")
            asked.set_shared_memory(f"out{number}", wanted[at].nbytes)
            client.raw.infer("m", [given], outputs=[asked])
            np.testing.assert_array_equal(target.read(np.float16, wanted[at].shape), wanted[at], err_msg=f"cuda {at}")

    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(ask_plain if number < 4 else ask_cuda, number) for number in range(8)]:
            done.result()


def test_batches_of_requests_in_every_memory(serve, repository, places, few):
    batching = "max_batch_size: 64\ndynamic_batching { max_queue_delay_microseconds: 20000 }"
    repository.add_mlp("m", few, "ranks", batching)
    repository.add_mlp("whole", form="one")
    client = Client(serve(repository, "m", "whole"), "grpc")
    at = places(client, int(few.split(",")[0]))
    jobs = []
    for number, (source, target) in enumerate([(s, t) for s in ("plain", "system", "cuda")
                                               for t in ("plain", "system", "cuda")]):
        x = random_rows(1 + number % 3, number)
        jobs.append((x, at.input(source, x), *at.output(target, len(x))))

    def run(job):
        _, given, asked, read = job
        return read(client.raw.infer("m", [given], outputs=[asked]))

    with concurrent.futures.ThreadPoolExecutor(len(jobs)) as pool:
        for _ in range(4):
            for (x, *_), got in zip(jobs, pool.map(run, jobs)):
                assert relative_error(got, client.infer("whole", {"x": x})["y"]) <= 1e-3
    done = client.raw.get_inference_statistics("m").model_stats[0]
    assert done.execution_count < done.inference_count, "no two requests were run together"
