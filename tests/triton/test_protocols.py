"""Every way that a client can ask the server, against answers worked out in numpy."""

import queue

import models
import numpy as np
import pytest
import tritonclient.http
from clients import PROTOCOLS, Client
from server import TritonServer


@pytest.fixture(scope="module")
def server(tmp_path_factory, backends):
    repository = models.Repository(tmp_path_factory.mktemp("protocols"))
    repository.add("affine", models.affine())
    repository.add("fixed", models.affine(shape=(2, 3)))
    repository.add("masked", models.masked_ids())
    repository.add("types", models.every_type())
    repository.add_sharded_mlp("mlp2", ranks=2)
    repository.add_sharded_mlp("mlp4", ranks=4)
    with TritonServer(repository.path, backends) as running:
        yield running


def x_of(batch: int) -> np.ndarray:
    return np.arange(batch * 4, dtype=np.float32).reshape(batch, 4) - 5


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("batch", [1, 3, 64])
def test_ordinary_model_answers(server, protocol, batch):
    x = x_of(batch)
    np.testing.assert_array_equal(Client(server, protocol).infer("affine", {"x": x})["y"], 2 * x + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_model_without_batch_answers(server, protocol):
    x = np.ones((2, 3), np.float32)
    np.testing.assert_array_equal(Client(server, protocol).infer("fixed", {"x": x})["y"], 2 * x + 1)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("model", ["mlp2", "mlp4"])
@pytest.mark.parametrize("batch", [1, 5])
def test_sharded_model_answers(server, protocol, model, batch):
    x = x_of(batch)
    np.testing.assert_allclose(Client(server, protocol).infer(model, {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_element_type_passes(server, protocol):
    kinds = {"FP32": np.float32, "FP16": np.float16, "BOOL": np.bool_}
    sent = {f"in_{t}": np.array([[0, 1, 100], [1, 0, 7]]).astype(kinds.get(t, t.lower())) for t in models.TYPES}
    answer = Client(server, protocol).infer("types", sent)
    for t in models.TYPES:
        np.testing.assert_array_equal(answer[f"out_{t}"], sent[f"in_{t}"])
        assert answer[f"out_{t}"].dtype == sent[f"in_{t}"].dtype


def masked_request(batch=2, seq=3):
    ids = np.arange(batch * seq, dtype=np.int64).reshape(batch, seq) % 10
    return {"ids": ids, "mask": (ids % 3 != 0).astype(np.int64)}


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_only_requested_outputs_come_back(server, protocol):
    request = masked_request()
    answer = Client(server, protocol).infer("masked", request, outputs=["pooled"])
    assert list(answer) == ["pooled"]
    np.testing.assert_array_equal(answer["pooled"], models.masked_ids_answer(**request)["pooled"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_inputs_may_come_in_any_order_and_all_outputs_come_back(server, protocol):
    request = dict(reversed(masked_request().items()))
    answer = Client(server, protocol).infer("masked", request)
    for name, value in models.masked_ids_answer(**request).items():
        np.testing.assert_array_equal(answer[name], value)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_sequence_of_length_zero_answers(server, protocol):
    if protocol == "http":
        pytest.skip("the HTTP client sends no binary data for a tensor of no bytes")
    answer = Client(server, protocol).infer("masked", masked_request(seq=0))
    assert answer["hidden"].shape == (2, 0, 2)
    np.testing.assert_array_equal(answer["pooled"], np.zeros((2, 2), np.float32))


def test_json_tensors_both_ways(server):
    client = Client(server, "http")
    x = x_of(2)
    output = tritonclient.http.InferRequestedOutput("y", binary_data=False)
    result = client.raw.infer("affine", client.inputs({"x": x}, binary_data=False), outputs=[output])
    np.testing.assert_array_equal(result.as_numpy("y"), 2 * x + 1)


def test_compressed_http(server):
    client = Client(server, "http")
    x = x_of(64)
    answer = client.infer("affine", {"x": x}, request_compression_algorithm="gzip",
                          response_compression_algorithm="gzip")
    np.testing.assert_array_equal(answer["y"], 2 * x + 1)


def test_many_grpc_requests_in_flight(server):
    client = Client(server, "grpc")
    done = queue.Queue()
    for batch in range(1, 33):
        client.raw.async_infer("affine", client.inputs({"x": x_of(batch)}), request_id=str(batch),
                               callback=lambda result, error: done.put((result, error)))
    for _ in range(32):
        result, error = done.get(timeout=30)
        assert error is None
        batch = int(result.get_response().id)
        np.testing.assert_array_equal(result.as_numpy("y"), 2 * x_of(batch) + 1)


def test_grpc_stream_answers_in_order(server):
    client = Client(server, "grpc")
    done = queue.Queue()
    client.raw.start_stream(callback=lambda result, error: done.put((result, error)))
    for batch in range(1, 17):
        client.raw.async_stream_infer("affine", client.inputs({"x": x_of(batch)}), request_id=str(batch))
    for batch in range(1, 17):
        result, error = done.get(timeout=30)
        assert error is None
        assert result.get_response().id == str(batch)
        np.testing.assert_array_equal(result.as_numpy("y"), 2 * x_of(batch) + 1)
    client.raw.stop_stream()


def test_metadata_tells_names_types_and_shapes(server):
    metadata = Client(server, "http").raw.get_model_metadata("masked")
    assert metadata["platform"] == "tensorrt_plan"
    assert metadata["inputs"] == [{"name": n, "datatype": "INT64", "shape": [-1, -1]} for n in ("ids", "mask")]
    assert metadata["outputs"] == [{"name": "hidden", "datatype": "FP32", "shape": [-1, -1, 2]},
                                   {"name": "pooled", "datatype": "FP32", "shape": [-1, 2]}]
