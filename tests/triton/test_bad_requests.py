"""A request that does not fit gets one clear line; the next right one works."""

import json
import urllib.error
import urllib.request

import models
import numpy as np
import pytest
from clients import PROTOCOLS, Client
from server import TritonServer
from tritonclient.utils import InferenceServerException

RIGHT = {"ids": np.ones((2, 3), np.int64), "mask": np.ones((2, 3), np.int64)}


@pytest.fixture(scope="module")
def server(tmp_path_factory, backends):
    repository = models.Repository(tmp_path_factory.mktemp("bad_requests"))
    repository.add_planned_masked_ids("masked")
    repository.add_sharded_mlp("mlp")
    with TritonServer(repository.path, backends) as running:
        yield running


def refusal(client, model, tensors, **options) -> str:
    with pytest.raises(InferenceServerException) as caught:
        client.raw.infer(model, client.inputs(tensors), **options)
    return caught.value.message()


BAD = {
    "type": ({**RIGHT, "ids": np.ones((2, 3), np.int32)}, ["'ids'", "INT32", "INT64"]),
    "rank": ({**RIGHT, "ids": np.ones((2, 3, 4), np.int64)}, ["'ids'", "[2,3,4]"]),
    "batch": ({**RIGHT, "mask": np.ones((3, 3), np.int64)}, ["batch size"]),
    "length": ({**RIGHT, "mask": np.ones((2, 4), np.int64)}, ["'mask'", "4"]),
    "name": ({"tokens": RIGHT["ids"], "mask": RIGHT["mask"]}, ["tokens"]),
    "missing": ({"ids": RIGHT["ids"]}, ["ids"]),
    "value": ({**RIGHT, "ids": np.full((2, 3), 2**40)}, ["'ids'", "1099511627776", "32 bits"]),
    "too many rows": ({n: np.ones((65, 3), np.int64) for n in RIGHT}, ["64"]),
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("bad", BAD)
def test_misfit_is_named_and_the_next_request_works(server, protocol, bad):
    client = Client(server, protocol)
    tensors, words = BAD[bad]
    message = refusal(client, "masked", tensors)
    for word in words:
        assert word in message, message
    assert "\n" not in message
    np.testing.assert_array_equal(client.infer("masked", RIGHT)["pooled"], models.masked_ids_answer(**RIGHT)["pooled"])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_fixed_dimension_of_a_sharded_model_is_named(server, protocol):
    client = Client(server, protocol)
    message = refusal(client, "mlp", {"x": np.ones((1, 5), np.float32)})
    assert "'x'" in message and "5" in message and "4" in message
    x = np.ones((1, 4), np.float32)
    np.testing.assert_allclose(client.infer("mlp", {"x": x})["y"], models.mlp_answer(x), rtol=2e-5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_step_that_fails_inside_the_model_leaves_the_next_one_right(serve, repository, protocol):
    """An ordinary model names no dimensions: only its engine finds that these lengths do not meet."""
    server = serve(repository.add("masked", models.masked_ids()))
    client = Client(server, protocol)
    for _ in range(3):
        assert "hidden" in refusal(client, "masked", {**RIGHT, "mask": np.ones((2, 4), np.int64)})
        answer = client.infer("masked", RIGHT)["pooled"]
        np.testing.assert_array_equal(answer, models.masked_ids_answer(**RIGHT)["pooled"])
    assert 'tessera_step_failures_total{model="masked",version="1"} 3' in server.metrics_text()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_unknown_output_is_named(server, protocol):
    client = Client(server, protocol)
    outputs = [client.library.InferRequestedOutput("nothing")]
    assert "nothing" in refusal(client, "masked", RIGHT, outputs=outputs)


def test_a_shape_whose_size_overflows_is_refused(serve, repository):
    """Counted in 64 bits it has the 8 numbers that came; the server itself is taken in."""
    server = serve(repository.add("affine", models.affine((2, "rows", 4))))
    body = json.dumps({"inputs": [{"name": "x", "shape": [2, 2**62 + 1, 4], "datatype": "FP32", "data": [1.0] * 8}]})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"http://{server.http}/v2/models/affine/infer", body.encode(), timeout=20)
    assert refused.value.code == 400
    assert "input 'x' has 32 bytes, its shape [2,4611686018427387905,4] takes 1" in refused.value.read().decode()
    assert 'tessera_step_failures_total{model="affine",version="1"} 0' in server.metrics_text()


def test_bad_requests_leave_the_ranks_alone(server):
    """The ranks' step counter goes on; nothing failed after it had started."""
    failures = [line for line in server.metrics_text().splitlines() if line.startswith("tessera_step_failures_total")]
    assert failures and all(line.endswith(" 0") for line in failures)
