"""The program `tessera`, run as a user runs it."""

from __future__ import annotations

import json
import pathlib
import subprocess


class Program:
    def __init__(self, path: pathlib.Path):
        self.path = path

    def run(self, *arguments, timeout: float = 110) -> subprocess.CompletedProcess:
        return subprocess.run([self.path, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              check=False)

    def json(self, *arguments, code: int = 0, **options):
        """What the command prints with --json; it must end with `code`."""
        done = self.run(*arguments, "--json", **options)
        assert done.returncode == code, f"ended with {done.returncode}: {done.stderr}{done.stdout}"
        return json.loads(done.stdout)

    def refuse(self, *arguments) -> str:
        """The one line on stderr of a command that must end with 2 and print nothing else."""
        done = self.run(*arguments)
        assert done.returncode == 2, f"ended with {done.returncode}: {done.stderr}{done.stdout}"
        assert done.stdout == ""
        lines = done.stderr.splitlines()
        assert len(lines) == 1, done.stderr
        assert lines[0].startswith("tessera: ")
        return lines[0]

    def shard(self, model, ranks: int, repository, name: str, *arguments) -> dict:
        return self.json("shard", model, "--ranks", ranks, "-o", repository, "--name", name, *arguments)
