"""What operators look at: the server's statistics, our metrics, the log."""

import models
import numpy as np
import pytest
from clients import Client, statistics


def metric(server, name, **labels) -> float:
    for line in server.metrics_text().splitlines():
        if line.startswith(name + "{") and all(f'{k}="{v}"' in line for k, v in labels.items()):
            return float(line.rsplit(" ", 1)[1])
    pytest.fail(f"no metric {name} {labels}")


def test_statistics_count_requests_rows_and_times(serve, repository):
    server = serve(repository.add_sharded_mlp("mlp"))
    client = Client(server, "http")
    for batch in (1, 2, 4):
        client.infer("mlp", {"x": np.ones((batch, 4), np.float32)})
    stats = statistics(server, "mlp", rows=7)
    assert (stats["inference_count"], stats["execution_count"]) == (7, 3)
    times = stats["inference_stats"]
    assert times["success"]["count"] == 3 and times["fail"]["count"] == 0
    parts = sum(times[p]["ns"] for p in ("queue", "compute_input", "compute_infer", "compute_output"))
    assert 0 < times["compute_infer"]["ns"] < parts <= times["success"]["ns"]
    assert {b["batch_size"] for b in stats["batch_stats"]} == {1, 2, 4}


def test_metrics_count_steps_and_time_of_every_rank(serve, repository):
    server = serve(repository.add_sharded_mlp("mlp", ranks=2))
    client = Client(server, "grpc")
    before = [metric(server, "tessera_rank_compute_us", model="mlp", rank=r) for r in (0, 1)]
    for _ in range(5):
        client.infer("mlp", {"x": np.ones((2, 4), np.float32)})
    assert metric(server, "tessera_steps_total", model="mlp", version=1) == 5
    assert metric(server, "tessera_step_failures_total", model="mlp") == 0
    assert metric(server, "tessera_instances_down", model="mlp") == 0
    for rank in (0, 1):
        assert metric(server, "tessera_rank_compute_us", model="mlp", rank=rank) > before[rank]


def test_a_server_without_metrics_serves(serve, repository):
    server = serve(repository.add_sharded_mlp("mlp"), "--allow-metrics=false")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_allclose(Client(server, "http").infer("mlp", {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)


def test_log_tells_ranks_and_why_a_model_is_not_batched(serve, repository):
    repository.add_sharded_mlp("mlp").add("fixed", models.affine(shape=(2, 3)))
    log = serve(repository).log()
    assert "model 'mlp': ranks: 2, inputs: 1, outputs: 1, max_batch_size 64" in log
    assert "not batched unasked: 'x' is [2,3]" in log
