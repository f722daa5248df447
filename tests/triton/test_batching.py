"""Dynamic batching: requests that run together are answered as if each had run alone."""

import queue

import models
import numpy as np
import pytest
from clients import PROTOCOLS, Client, statistics

# Waits until 16 rows are there (or a second has passed): the requests of a test surely meet.
MEETING = "max_batch_size: 32 dynamic_batching { preferred_batch_size: 16 max_queue_delay_microseconds: 1000000 }"


def send_all(client, model, requests, outputs=None):
    """Sends all at once and returns the answers in the order of `requests`: a result or an exception each."""
    done = queue.Queue()
    for index, request in enumerate(requests):
        wanted = outputs and [client.library.InferRequestedOutput(n) for n in outputs[index]]
        client.raw.async_infer(model, client.inputs(request), outputs=wanted,
                               callback=lambda result, error, i=index: done.put((i, error or result)))
    answers = dict(done.get(timeout=30) for _ in requests)
    return [answers[i] for i in range(len(requests))]


def executions(server, model, rows):
    stats = statistics(server, model, rows)
    return stats["execution_count"], stats["inference_count"]


def request_of(rng, batch, seq):
    return {"ids": rng.integers(0, 10, (batch, seq)), "mask": rng.integers(0, 2, (batch, seq))}


def test_requests_of_one_shape_run_as_one_step(serve, repository):
    server = serve(repository.add("masked", models.masked_ids(), MEETING))
    rng = np.random.default_rng(0)
    requests = [request_of(rng, batch, 5) for batch in (1, 2, 3, 4, 6)]
    for request, answer in zip(requests, send_all(Client(server, "grpc"), "masked", requests)):
        for name, value in models.masked_ids_answer(**request).items():
            np.testing.assert_array_equal(answer.as_numpy(name), value)
    assert executions(server, "masked", rows=16) == (1, 16)


def test_requests_of_different_lengths_answer_right(serve, repository):
    server = serve(repository.add("masked", models.masked_ids(), MEETING))
    rng = np.random.default_rng(1)
    requests = [request_of(rng, 1 + i % 3, 1 + i % 4) for i in range(24)]
    for request, answer in zip(requests, send_all(Client(server, "grpc"), "masked", requests)):
        for name, value in models.masked_ids_answer(**request).items():
            np.testing.assert_array_equal(answer.as_numpy(name), value)


def test_each_request_gets_the_outputs_that_it_wants(serve, repository):
    server = serve(repository.add("masked", models.masked_ids(), MEETING))
    rng = np.random.default_rng(2)
    requests = [request_of(rng, 8, 3) for _ in range(2)]
    first, second = send_all(Client(server, "grpc"), "masked", requests, outputs=[["pooled"], ["hidden"]])
    assert executions(server, "masked", rows=16) == (1, 16)
    assert first.as_numpy("hidden") is None and second.as_numpy("pooled") is None
    np.testing.assert_array_equal(first.as_numpy("pooled"), models.masked_ids_answer(**requests[0])["pooled"])
    np.testing.assert_array_equal(second.as_numpy("hidden"), models.masked_ids_answer(**requests[1])["hidden"])


def test_a_request_that_disagrees_with_itself_fails_alone(serve, repository):
    server = serve(repository.add("masked", models.masked_ids(), MEETING))
    rng = np.random.default_rng(3)
    requests = [request_of(rng, 5, 4) for _ in range(3)]
    requests[1]["mask"] = requests[1]["mask"][:4]  # a batch of 5 ids and 4 masks
    answers = send_all(Client(server, "grpc"), "masked", requests)
    assert "batch" in str(answers[1])
    for i in (0, 2):
        np.testing.assert_array_equal(answers[i].as_numpy("pooled"), models.masked_ids_answer(**requests[i])["pooled"])


def test_a_cancelled_request_is_not_run(serve, repository):
    server = serve(repository.add_planned_masked_ids("masked", MEETING))
    client = Client(server, "grpc")
    rng = np.random.default_rng(6)
    cancelled = queue.Queue()
    waiting = client.raw.async_infer("masked", client.inputs(request_of(rng, 1, 4)),
                                     callback=lambda result, error: cancelled.put(error))
    waiting.cancel()
    assert "ancelled" in str(cancelled.get(timeout=30))
    assert client.raw.is_server_live()  # on the same connection: the server has read the cancellation before this
    (answer,) = send_all(client, "masked", [request := request_of(rng, 15, 4)])
    np.testing.assert_array_equal(answer.as_numpy("pooled"), models.masked_ids_answer(**request)["pooled"])
    assert executions(server, "masked", rows=15) == (1, 15)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_batched_sharded_model_answers_right(serve, repository, protocol):
    server = serve(repository.add_sharded_mlp("mlp", MEETING))
    rng = np.random.default_rng(4)
    requests = [{"x": rng.standard_normal((batch, 4), np.float32)} for batch in (1, 7, 8)]
    client = Client(server, protocol)
    if protocol == "grpc":
        answers = send_all(client, "mlp", requests)
    else:
        pending = [client.raw.async_infer("mlp", client.inputs(r)) for r in requests]
        answers = [p.get_result() for p in pending]
    for request, answer in zip(requests, answers):
        np.testing.assert_allclose(answer.as_numpy("y"), models.mlp_answer(request["x"]), rtol=2e-5, atol=1e-6)
    assert executions(server, "mlp", rows=16) == (1, 16)


def test_two_instances_share_the_work(serve, repository):
    config = "max_batch_size: 32 instance_group { count: 2 kind: KIND_MODEL } dynamic_batching { }"
    server = serve(repository.add_sharded_mlp("mlp", config))
    rng = np.random.default_rng(5)
    requests = [{"x": rng.standard_normal((1, 4), np.float32)} for _ in range(64)]
    for request, answer in zip(requests, send_all(Client(server, "grpc"), "mlp", requests)):
        np.testing.assert_allclose(answer.as_numpy("y"), models.mlp_answer(request["x"]), rtol=2e-5, atol=1e-6)
