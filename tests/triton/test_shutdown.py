"""SIGTERM while a step runs whose own limit is beyond the server's: the server ends all the same."""

import models
import numpy as np
import pytest
from clients import PROTOCOLS, Client

BOUND = 10.0            # seconds until it has ended
FOREVER = (1 << 31) - 1  # rounds: an hour or more
NO_LIMIT = 'parameters { key: "request_timeout_ms" value { string_value: "3600000" } }'


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_server_ends_while_a_step_hangs(serve, repository, protocol):
    """Left to itself, the server's exit() would wait for the request for ever."""
    server = serve(repository.add("rounds", models.rounds(), NO_LIMIT), "--exit-timeout-secs=1", "--log-verbose=1")
    client = Client(server, protocol)
    x = np.ones(4, np.float32)
    np.testing.assert_array_equal(client.infer("rounds", {"count": np.array([3]), "x": x})["y"], x / 8)
    endless = client.inputs({"count": np.array([FOREVER]), "x": x})
    if protocol == "grpc":
        client.raw.async_infer("rounds", endless, callback=lambda *_: None)
    else:
        client.raw.async_infer("rounds", endless)
    server.wait_for_log("to EXECUTING", count=2)
    server._clients.clear()  # noqa: SLF001 - the connection stays open, its request unanswered
    assert server.stop(timeout=BOUND, check=False) == 1, server.log()
    assert "threads have not ended" in server.log()
