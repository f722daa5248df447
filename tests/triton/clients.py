"""Both protocols behind one face, so that a test can be written once for HTTP and gRPC."""

from __future__ import annotations

import time

import numpy as np
import tritonclient.grpc
import tritonclient.http
from tritonclient.utils import np_to_triton_dtype

PROTOCOLS = ["http", "grpc"]


class Client:
    def __init__(self, server, protocol: str):
        self.library = {"http": tritonclient.http, "grpc": tritonclient.grpc}[protocol]
        self.raw = server.http_client(concurrency=16) if protocol == "http" else server.grpc_client()

    def inputs(self, tensors: dict[str, np.ndarray], **options):
        return [self.input(name, value, **options) for name, value in tensors.items()]

    def input(self, name: str, value: np.ndarray, dtype: str | None = None, **options):
        made = self.library.InferInput(name, list(value.shape), dtype or np_to_triton_dtype(value.dtype))
        made.set_data_from_numpy(value, **options)
        return made

    def infer(self, model: str, tensors: dict[str, np.ndarray], outputs: list[str] | None = None, **options):
        """name -> array of all outputs that came back."""
        wanted = outputs and [self.library.InferRequestedOutput(name) for name in outputs]
        result = self.raw.infer(model, self.inputs(tensors), outputs=wanted, **options)
        return arrays(result)


def statistics(server, model: str, rows: int) -> dict:
    """The server's statistics of `model` once they tell of `rows`: the last ones come a moment after the answer."""
    client = server.http_client()
    end = time.monotonic() + 10
    while True:
        stats = client.get_inference_statistics(model)["model_stats"][0]
        if stats["inference_count"] >= rows or time.monotonic() > end:
            return stats


def wait_until(condition, seconds: float, what: str) -> None:
    """For what a server tells only when it is asked: until `condition()` holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.01)


def reasons(client: Client) -> dict[str, str]:
    """What the index of a server says, over HTTP, of why a model is as it is: "" of one that is well."""
    return {model["name"]: model.get("reason", "") for model in client.raw.get_model_repository_index()}


def arrays(result) -> dict[str, np.ndarray]:
    response = result.get_response()
    outputs = response["outputs"] if isinstance(response, dict) else response.outputs
    names = [output["name"] if isinstance(output, dict) else output.name for output in outputs]
    return {name: result.as_numpy(name) for name in names}
