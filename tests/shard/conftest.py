"""Fixtures of the tests that look inside the sharding compiler."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from lab import Lab  # noqa: E402


@pytest.fixture(scope="session")
def lab(tessera):
    program = tessera.parent / "shard_lab"
    if not program.is_file():
        pytest.fail(f"no program at {program}: './dev test' makes it")
    lab = Lab(str(program))
    yield lab
    lab.close()


@pytest.fixture(scope="session")
def long():
    """Whether to try everything: minutes to hours. TESSERA_LONG=1 says so."""
    return os.environ.get("TESSERA_LONG", "") not in ("", "0")
