"""8 clients at once, HTTP and gRPC mixed, random lengths: no error, no wrong answer, answers in order of requests.

TESSERA_SOAK_SECONDS (60 unless set) says for how long.
"""

from __future__ import annotations

import os
import queue
import random
import threading
import time

import pytest
from clients import Client
from reference import worst_relative_error

SECONDS = float(os.environ.get("TESSERA_SOAK_SECONDS", "60"))
MODEL = "minilm_2"
TOLERANCE = 2e-5
OUTSTANDING = 4  # requests that a streaming client has under way


class Questions:
    """Inputs of random sizes with their answers, made before the clients start."""

    def __init__(self, reference, count: int = 32):
        sizes = random.Random(7)
        self.inputs = [reference.random_inputs(sizes.randint(1, 4), sizes.randint(1, 96), seed)
                       for seed in range(count)]
        self._answers = [reference.answer(inputs) for inputs in self.inputs]

    def check(self, index: int, got) -> None:
        error = worst_relative_error(got, self._answers[index])
        assert error <= TOLERANCE, f"question {index}: off by {error}"


def ask_one_by_one(server, protocol, questions, until, choose) -> int:
    client = Client(server, protocol)
    asked = 0
    while time.monotonic() < until:
        index = choose.randrange(len(questions.inputs))
        questions.check(index, client.infer(MODEL, questions.inputs[index]))
        asked += 1
    return asked


def ask_in_a_stream(server, questions, until, choose) -> int:
    """Several requests under way on one stream: the answers come in the order of the requests."""
    client = Client(server, "grpc")
    answers: queue.Queue = queue.Queue()
    client.raw.start_stream(lambda result, error: answers.put((result, error)))
    waiting: list[tuple[str, int]] = []
    asked = 0
    while time.monotonic() < until or waiting:
        while time.monotonic() < until and len(waiting) < OUTSTANDING:
            index = choose.randrange(len(questions.inputs))
            waiting.append((str(asked), index))
            client.raw.async_stream_infer(MODEL, client.inputs(questions.inputs[index]), request_id=str(asked))
            asked += 1
        result, error = answers.get(timeout=30)
        assert error is None, error
        wanted_id, index = waiting.pop(0)
        assert result.get_response().id == wanted_id
        questions.check(index, {name: result.as_numpy(name) for name in questions_outputs(result)})
    client.raw.stop_stream()
    return asked


def questions_outputs(result) -> list[str]:
    return [output.name for output in result.get_response().outputs]


@pytest.mark.seconds(int(SECONDS) + 120)
def test_eight_clients_get_right_answers_in_order(sharded, served, reference):
    sharded.report(MODEL)
    questions = Questions(reference("minilm"))
    until = time.monotonic() + SECONDS
    clients = [lambda c: ask_one_by_one(served, "http", questions, until, c)] * 4
    clients += [lambda c: ask_one_by_one(served, "grpc", questions, until, c)] * 2
    clients += [lambda c: ask_in_a_stream(served, questions, until, c)] * 2
    asked: list[int] = []
    failures: list[BaseException] = []

    def run(seed, client):
        try:
            asked.append(client(random.Random(seed)))
        except BaseException as error:  # reported by the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=each) for each in enumerate(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]
    print(f"\n{sum(asked)} requests in {SECONDS:g} s, each client: {sorted(asked)}")
    assert min(asked) > 0
    assert served.running
