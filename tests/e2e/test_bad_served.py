"""A damaged model in a server: not READY with the reason, and everything else lives on."""

import numpy as np
import pytest
from clients import PROTOCOLS, Client
from reference import worst_relative_error
from test_bad_input import DAMAGES
from tritonclient.utils import InferenceServerException


@pytest.fixture(scope="module")
def damaged_repository(program, zoo, tmp_path_factory):
    """A good model, and one bad for each damage."""
    path = tmp_path_factory.mktemp("damaged") / "repository"
    program.shard(zoo / "bert_dyn.onnx", 2, path, "good")
    words = {}
    for damage in DAMAGES:
        program.shard(zoo / "vit.onnx", 2, path, damage.__name__)
        words[damage.__name__] = damage(path / damage.__name__ / "1")
    return path, words


@pytest.fixture(scope="module")
def server(damaged_repository, backends):
    from server import TritonServer

    with TritonServer(damaged_repository[0], backends, tolerant=True) as running:
        yield running


def answers_well(server, reference, protocol="http"):
    inputs = reference("bert_dyn").random_inputs(2, 8)
    answer = Client(server, protocol).infer("good", inputs)
    return worst_relative_error(answer, reference("bert_dyn").answer(inputs)) <= 1e-5


@pytest.mark.parametrize("damage", [d.__name__ for d in DAMAGES])
def test_a_damaged_model_is_not_ready_and_the_index_says_why(server, damaged_repository, damage, reference):
    client = server.http_client()
    assert not client.is_model_ready(damage)
    entry = next(entry for entry in client.get_model_repository_index() if entry["name"] == damage)
    assert entry["state"] == "UNAVAILABLE"
    for word in damaged_repository[1][damage]:
        assert word in entry["reason"]
    with pytest.raises(InferenceServerException):
        Client(server, "http").infer(damage, {"pixel_values": np.zeros((2, 3, 32, 32), np.float32)})
    assert server.running and answers_well(server, reference)


IDS = np.ones((2, 8), np.int64)
BAD_REQUESTS = {
    "wrong name": {"input_idz": IDS, "attention_mask": IDS},
    "missing input": {"input_ids": IDS},
    "wrong dtype": {"input_ids": IDS.astype(np.int32), "attention_mask": IDS},
    "too many dimensions": {"input_ids": IDS[None], "attention_mask": IDS},
    "too few dimensions": {"input_ids": IDS[0], "attention_mask": IDS},
    "lengths that disagree": {"input_ids": IDS, "attention_mask": np.ones((2, 9), np.int64)},
    "more rows than the largest batch": {name: np.ones((65, 8), np.int64) for name in ("input_ids", "attention_mask")},
}


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("what", BAD_REQUESTS)
def test_a_bad_request_gets_an_error_and_the_next_one_works(server, reference, protocol, what):
    with pytest.raises(InferenceServerException) as refused:
        Client(server, protocol).infer("good", BAD_REQUESTS[what])
    assert str(refused.value)
    assert answers_well(server, reference, protocol)
