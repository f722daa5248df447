"""What the server does around the backend: ensembles, warm-up, response cache, configuration."""

import models
import numpy as np
import pytest
from clients import Client
from server import find_tritonserver


def test_ensemble_of_an_ordinary_and_a_sharded_model(serve, repository):
    repository.add("affine", models.affine()).add_sharded_mlp("mlp")
    folder = repository.path / "both"
    (folder / "1").mkdir(parents=True)
    (folder / "config.pbtxt").write_text("""
        platform: "ensemble" max_batch_size: 8
        input { name: "x" data_type: TYPE_FP32 dims: 4 }
        output { name: "y" data_type: TYPE_FP32 dims: 4 }
        ensemble_scheduling {
          step { model_name: "affine" model_version: -1
                 input_map { key: "x" value: "x" } output_map { key: "y" value: "between" } }
          step { model_name: "mlp" model_version: -1
                 input_map { key: "x" value: "between" } output_map { key: "y" value: "y" } }
        }""")
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    answer = Client(serve(repository), "http").infer("both", {"x": x})["y"]
    np.testing.assert_allclose(answer, models.mlp_answer(2 * x + 1), rtol=2e-5)


def test_warm_up_runs_before_the_model_is_ready(serve, repository):
    warm_up = """max_batch_size: 8 model_warmup { name: "zeros" batch_size: 4
                 inputs { key: "x" value { data_type: TYPE_FP32 dims: 4 zero_data: true } } }"""
    server = serve(repository.add_sharded_mlp("mlp", warm_up))
    assert 'tessera_steps_total{model="mlp",version="1"} 1' in server.metrics_text()


def test_response_cache_answers_the_second_time(serve, repository):
    caches = find_tritonserver().parents[1] / "caches"
    if not caches.is_dir():
        pytest.skip(f"this Triton has no caches at {caches}")
    server = serve(repository.add_sharded_mlp("mlp", "response_cache { enable: true }"),
                   "--cache-config=local,size=1048576", f"--cache-directory={caches}")
    client = Client(server, "http")
    x = np.ones((2, 4), np.float32)
    for _ in range(2):
        np.testing.assert_allclose(client.infer("mlp", {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)
    assert 'tessera_steps_total{model="mlp",version="1"} 1' in server.metrics_text()


@pytest.mark.parametrize("config", [
    "", "max_batch_size: 8", "instance_group { kind: KIND_CPU }", "instance_group { kind: KIND_MODEL count: 3 }",
    'max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 4 } output { name: "y" dims: 4 }',
])
def test_configuration_is_completed(serve, repository, config):
    server = serve(repository.add("affine", models.affine(), config))
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(Client(server, "http").infer("affine", {"x": x})["y"], 2 * x + 1)


def test_completed_configuration_is_seen_by_clients(serve, repository):
    config = Client(serve(repository.add("affine", models.affine())), "http").raw.get_model_config("affine")
    assert config["max_batch_size"] == 64
    assert config["dynamic_batching"]["max_queue_delay_microseconds"] == 0
    assert [(g["kind"], g["count"]) for g in config["instance_group"]] == [("KIND_MODEL", 1)]


def test_default_batch_is_an_option_of_the_backend(serve, repository):
    server = serve(repository.add("affine", models.affine()), "--backend-config=tensorrt,default-max-batch=7")
    assert Client(server, "http").raw.get_model_config("affine")["max_batch_size"] == 7


def test_model_file_of_another_name(serve, repository):
    config = 'default_model_filename: "net.onnx"'
    server = serve(repository.add("affine", models.affine(), config, file="net.onnx"))
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(Client(server, "http").infer("affine", {"x": x})["y"], 2 * x + 1)


def test_completed_configuration_is_not_needed(serve, repository):
    """--disable-auto-complete-config: the configuration is checked as it stands."""
    config = """max_batch_size: 8 input { name: "x" data_type: TYPE_FP32 dims: 4 }
                output { name: "y" data_type: TYPE_FP32 dims: 4 } instance_group { kind: KIND_MODEL }"""
    server = serve(repository.add("affine", models.affine(), config), "--disable-auto-complete-config")
    x = np.ones((2, 4), np.float32)
    np.testing.assert_array_equal(Client(server, "http").infer("affine", {"x": x})["y"], 2 * x + 1)
