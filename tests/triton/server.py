"""A real Triton server for tests and benchmarks.

    with TritonServer(repository, backends) as server:
        server.http_client().infer(..)     # a tritonclient.http client, closed with the server
        server.grpc_client().infer(..)     # the same of tritonclient.grpc
        server.http, server.grpc           # "127.0.0.1:40123", for other clients
        server.metrics_text()

It listens on free loopback ports only, is ready when the constructor's `start` returns, ends with its test (or with
the test process, should that be killed), and keeps all that it logged.
"""

from __future__ import annotations

import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request

from stacks import stacks

_STARTED = {"grpc": "Started GRPCInferenceService", "http": "Started HTTPService", "metrics": "Started Metrics Service"}


class ServerError(RuntimeError):
    """The server did not start, or did not stop in time; carries the end of its log."""


def find_tritonserver() -> pathlib.Path:
    """$TESSERA_TRITONSERVER, the pinned wheel's in this Python environment, or a container's."""
    places = [pathlib.Path(p, "pytriton/tritonserver/bin/tritonserver") for p in sys.path if p]
    places.append(pathlib.Path("/opt/tritonserver/bin/tritonserver"))
    if chosen := os.environ.get("TESSERA_TRITONSERVER"):
        places = [pathlib.Path(chosen)]
    for place in places:
        if place.is_file():
            return place
    raise ServerError(f"no tritonserver at {', '.join(map(str, places))}")


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago, all different."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for s in sockets:
            s.bind(("127.0.0.1", 0))
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


class TritonServer:
    """One tritonserver process. `repository` and `backends` are directories; `args` go to its command line as is.

    `tolerant` keeps the server up and ready when a model cannot be loaded. `environment` adds to that of the process.
    """

    def __init__(self, repository, backends, *args: str, tolerant: bool = False, ready_timeout: float = 60,
                 environment: dict[str, str] | None = None):
        self.repository = pathlib.Path(repository)
        self.backends = pathlib.Path(backends)
        self._args = list(args)
        if tolerant:
            self._args += ["--exit-on-error=false", "--strict-readiness=false"]
        self._ready_timeout = ready_timeout
        self._environment = {**os.environ, **(environment or {})}
        self._process: subprocess.Popen | None = None
        self._reader: threading.Thread | None = None
        self._changed = threading.Condition()
        self._clients: list = []
        self._lines: list[str] = []  # guarded by _changed
        self._ended = False          # guarded by _changed: the log's end was read
        self.http = self.grpc = self.metrics = ""

    def __enter__(self) -> TritonServer:
        return self.start()

    def __exit__(self, *_) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> TritonServer:
        """Starts the process and waits until its endpoints listen and the startup models are loaded."""
        for attempt in range(3):  # another process may take a port between the look and the bind
            self._launch(free_ports(3))
            if self._wait_for(lambda: all(map(self._logged, self._wanted().values())), self._ready_timeout):
                self._wait_for_listeners()
                return self
            log = self.log()
            self.stop(check=False)
            if "already in use" not in log:
                break
        raise ServerError(f"tritonserver did not start within {self._ready_timeout} s:\n{log[-6000:]}")

    def http_client(self, **arguments):
        import tritonclient.http
        return self._keep(tritonclient.http.InferenceServerClient(self.http, **arguments))

    def grpc_client(self, **arguments):
        import tritonclient.grpc
        return self._keep(tritonclient.grpc.InferenceServerClient(self.grpc, **arguments))

    def stop(self, timeout: float = 40, check: bool = True) -> int:
        """SIGTERM, as an operator stops it; the process' status. With `check`, a crash or a kill after `timeout`
        seconds is an error; the log then tells where its threads were."""
        if self._process is None:
            return 0
        while self._clients:  # the server waits for open connections before it ends
            self._clients.pop().close()
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            threads = stacks(self.pid)
            self._process.kill()
            code = self._process.wait()
            with self._changed:
                self._lines += ["killed, for it did not end; its threads:", *threads.splitlines()]
        self._reader.join()
        self._process = None
        if check and code != 0:
            raise ServerError(f"tritonserver ended with {code}:\n{self.log()[-6000:]}")
        return code

    def log(self) -> str:
        """All that it has written so far."""
        with self._changed:
            return "\n".join(self._lines)

    def wait_for_log(self, text: str, timeout: float = 10, count: int = 1) -> None:
        """Until `count` lines have `text`."""
        if not self._wait_for(lambda: self._logged(text, count), timeout):
            raise ServerError(f"'{text}' not in the log within {timeout} s:\n{self.log()[-6000:]}")

    def metrics_text(self) -> str:
        with urllib.request.urlopen(f"http://{self.metrics}/metrics", timeout=10) as answer:
            return answer.read().decode()

    def resident_bytes(self) -> int:
        """Resident memory of the process, shared pages included."""
        fields = pathlib.Path(f"/proc/{self.pid}/statm").read_text().split()
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")

    def thread_count(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/task"))

    def _keep(self, client):
        self._clients.append(client)
        return client

    def _wanted(self) -> dict[str, str]:
        """What the log says of each endpoint that listens."""
        return {name: line for name, line in _STARTED.items() if f"--allow-{name}=false" not in self._args}

    def _launch(self, ports: list[int]) -> None:
        self.http, self.grpc, self.metrics = (f"127.0.0.1:{p}" for p in ports)
        # setpriv instead of a preexec_fn: Python then forks without running the fork handlers of grpc, which can hang.
        command = ["setpriv", "--pdeathsig", "KILL", str(find_tritonserver()), f"--model-repository={self.repository}",
                   f"--backend-directory={self.backends}", "--metrics-interval-ms=100", "--exit-timeout-secs=10"]
        for name, port in zip(("http", "grpc", "metrics"), ports):
            command += [f"--{name}-address=127.0.0.1", f"--{name}-port={port}"]
        self._lines, self._ended = [], False
        self._process = subprocess.Popen(command + self._args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                         env=self._environment)
        self._reader = threading.Thread(target=self._read_log, args=(self._process.stdout,), daemon=True)
        self._reader.start()

    def _wait_for_listeners(self) -> None:
        """The log says "Started" a moment before a port listens."""
        end = time.monotonic() + 10
        for address in (getattr(self, name) for name in self._wanted()):
            host, port = address.split(":")
            while True:
                try:
                    socket.create_connection((host, int(port)), timeout=5).close()
                    break
                except ConnectionRefusedError:
                    if time.monotonic() > end or not self.running:
                        raise ServerError(f"nothing listens at {address}:\n{self.log()[-6000:]}") from None
                    with self._changed:
                        self._changed.wait(0.005)

    def _read_log(self, stream) -> None:
        with stream:
            for line in stream:
                with self._changed:
                    self._lines.append(line.decode(errors="replace").rstrip("\n"))
                    self._changed.notify_all()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _logged(self, text: str, count: int = 1) -> bool:
        return sum(text in line for line in self._lines) >= count

    def _wait_for(self, condition, timeout: float) -> bool:
        """Waits until `condition` holds on the log, the log ends or the time is over."""
        end = time.monotonic() + timeout
        with self._changed:
            while not condition():
                left = end - time.monotonic()
                if self._ended or left <= 0:
                    return False
                self._changed.wait(left)
            return True
