"""The compiler's inside, as the program shard_lab tells it: one process for many requests."""

import json
import subprocess


class Lab:
    def __init__(self, program):
        self._process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, **request):
        """The answer as a dict; "error" in it says what failed."""
        request = {key: str(value) if hasattr(value, "__fspath__") else value for key, value in request.items()}
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"shard_lab ended with {self._process.wait()} on {request}")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait()
