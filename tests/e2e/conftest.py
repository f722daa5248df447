"""Fixtures of the end-to-end tests: the real program, a real Triton server, onnxruntime to compare with."""

from __future__ import annotations

import contextlib
import pathlib

import pytest
from model_cases import Models
from program import Program
from reference import Reference
from served_models import SERVED
from server import TritonServer

@pytest.fixture(scope="session")
def program(tessera) -> Program:
    return Program(tessera)


@pytest.fixture(scope="session")
def models(trained, zoo, tmp_path_factory) -> Models:
    """models.get("gpt2.fp16"): every model of the matrix."""
    return Models(zoo, trained, tmp_path_factory.mktemp("converted"))


@pytest.fixture(scope="session")
def model_file(minilm, zoo):
    """model_file("vit"): where the ONNX file of a served model lies."""
    return lambda source: minilm if source == "minilm" else zoo / f"{source}.onnx"


class Sharded:
    """A repository with every model of SERVED, and what `tessera shard --json` said of each or why it refused."""

    def __init__(self, path: pathlib.Path):
        self.path = path
        self.reports: dict[str, dict] = {}
        self.refusals: dict[str, str] = {}

    def report(self, name: str) -> dict:
        """Fails the test that needs a model which could not be sharded, not the others."""
        if name in self.refusals:
            pytest.fail(f"tessera shard refused '{name}': {self.refusals[name]}")
        return self.reports[name]


@pytest.fixture(scope="session")
def sharded(program, model_file, tmp_path_factory) -> Sharded:
    made = Sharded(tmp_path_factory.mktemp("sharded") / "repository")
    for name, (source, ranks, strategy) in SERVED.items():
        try:
            made.reports[name] = program.shard(model_file(source), ranks, made.path, name, "--strategy",
                                               strategy)
        except AssertionError as error:
            made.refusals[name] = str(error)
    return made


@pytest.fixture(scope="session")
def served(sharded, backends):
    """A server with all of them."""
    with TritonServer(sharded.path, backends, tolerant=True) as server:
        yield server


@pytest.fixture(scope="session")
def reference(model_file):
    """reference("vit"): the model in onnxruntime, loaded once."""
    loaded: dict[str, Reference] = {}

    def load(source: str) -> Reference:
        if source not in loaded:
            loaded[source] = Reference(model_file(source))
        return loaded[source]

    return load


@pytest.fixture
def serve(backends):
    """serve(repository, ..) starts a server of the test's own."""
    with contextlib.ExitStack() as stack:
        yield lambda repository, *arguments, **options: stack.enter_context(
            TritonServer(repository, backends, *arguments, **options))
