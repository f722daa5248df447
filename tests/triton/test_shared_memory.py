"""System shared memory: inputs read from the client's pages, outputs written into them."""

import time

import models
import numpy as np
import pytest
import tritonclient.utils.shared_memory as shm
from clients import PROTOCOLS, Client
from tritonclient.utils import InferenceServerException


@pytest.fixture
def region():
    """region(name, bytes) makes a shared memory region that goes with the test."""
    made = []

    def make(name: str, size: int):
        made.append(shm.create_shared_memory_region(name, f"/tessera_{name}", size))
        return made[-1]

    yield make
    for handle in made:
        shm.destroy_shared_memory_region(handle)


def unregister_all(client):
    """The server lets a region go when it has released the request, which may be the moment after its answer."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return client.raw.unregister_system_shared_memory()
        except InferenceServerException as error:
            if "Failed to unregister" not in str(error) or time.monotonic() > deadline:
                raise


def in_region(client, name, shape, region_name, offset=0):
    tensor = client.library.InferInput(name, list(shape), "FP32")
    tensor.set_shared_memory(region_name, int(np.prod(shape)) * 4, offset=offset)
    return tensor


def out_region(client, name, region_name, size, offset=0):
    output = client.library.InferRequestedOutput(name)
    output.set_shared_memory(region_name, size, offset=offset)
    return output


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("offset", [0, 2], ids=["aligned", "misaligned"])
def test_input_and_output_in_shared_memory(serve, repository, region, protocol, offset):
    client = Client(serve(repository.add("affine", models.affine())), protocol)
    x = np.arange(32, dtype=np.float32).reshape(8, 4)
    source, target = region("in", 256), region("out", 256)
    shm.set_shared_memory_region(source, [x], offset=offset)
    client.raw.register_system_shared_memory("in", "/tessera_in", 256)
    client.raw.register_system_shared_memory("out", "/tessera_out", 256)
    client.raw.infer("affine", [in_region(client, "x", (8, 4), "in", offset)],
                     outputs=[out_region(client, "y", "out", 128, offset)])
    y = shm.get_contents_as_numpy(target, np.float32, [8, 4], offset=offset)
    np.testing.assert_array_equal(y, 2 * x + 1)
    unregister_all(client)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_output_region_too_small_is_refused_and_the_next_request_works(serve, repository, region, protocol):
    server = serve(repository.add("affine", models.affine()))
    client = Client(server, protocol)
    region("small", 64)
    client.raw.register_system_shared_memory("small", "/tessera_small", 64)
    x = np.ones((8, 4), np.float32)
    with pytest.raises(InferenceServerException, match="shared memory"):
        client.raw.infer("affine", client.inputs({"x": x}), outputs=[out_region(client, "y", "small", 64)])
    np.testing.assert_array_equal(client.infer("affine", {"x": x})["y"], 2 * x + 1)
    unregister_all(client)
    assert 'tessera_step_failures_total{model="affine",version="1"} 0' in server.metrics_text()
